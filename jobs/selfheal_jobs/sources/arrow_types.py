"""Normalises the Arrow types of all readers, and finds the common type of several files. Pure."""

from collections.abc import Collection, Iterable
from typing import Final

import pyarrow as pa

_MOST_OF_128_BITS: Final = 38
"""Decimal digits."""


def plain(kind: pa.DataType) -> pa.DataType:
    """Return a type without the variants of different writers: extensions, views, index widths."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return pa.dictionary(pa.int32(), plain(kind.value_type))
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    return kind


def common_type(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """Return the narrowest type that holds all of them; a dictionary only if all are dictionaries.

    Raises:
        pa.ArrowException: The types have no common type.
    """
    found: pa.DataType | None = None
    for kind in kinds:
        found = kind if found is None else _wider(found, kind)
    return found if found is not None else pa.null()


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one.equals(other):
        return one
    pair = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in (one, other)]
    one, other = pair
    schemas = [pa.schema([pa.field("x", kind)]) for kind in (_roomy(one, other), _roomy(other, one))]
    return pa.unify_schemas(schemas, promote_options="permissive").field("x").type


def _roomy(kind: pa.DataType, integers: pa.DataType) -> pa.DataType:
    """Return a decimal without places with enough digits for a type of integers; another type as it is.

    Arrow itself counts the digits that a type always holds: 18 of int64, whose greatest number has 19.
    """
    if not (pa.types.is_decimal(kind) and pa.types.is_integer(integers) and kind.scale <= 0):
        return kind
    digits = max(kind.precision - kind.scale, len(str(2**integers.bit_width)))
    return (pa.decimal128 if digits <= _MOST_OF_128_BITS else pa.decimal256)(digits, 0)


def widened(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values of one file in the type of all files.

    Raises:
        pa.ArrowInvalid: The type cannot hold a value exactly, such as an integer beyond 2**53 as a float.
    """
    if pa.types.is_decimal(values.type) and values.type.scale <= 0 and pa.types.is_floating(kind):
        values = values.cast(pa.int64())  # Arrow rounds decimals without a word
    return values.cast(kind)


def as_categories(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    """Return the schema with these columns as dictionaries, which marks their values as categories."""
    return pa.schema(
        [each.with_type(_category(each.type)) if each.name in names else each for each in schema]
    )


def _category(kind: pa.DataType) -> pa.DataType:
    """Return a type as a dictionary; Arrow encodes neither lists and the like nor half floats."""
    if pa.types.is_dictionary(kind) or pa.types.is_nested(kind):
        return kind
    return pa.dictionary(pa.int32(), pa.float32() if pa.types.is_float16(kind) else kind)
