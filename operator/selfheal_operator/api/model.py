"""What all API objects have in common: how they are read from documents, and how they are written.

What is read is checked against its schema; what we make ourselves is not, mypy has done that.
By msgspec: the containers run thousands of times a day, and it takes them a fraction of the time and memory
that richer libraries take for their import alone.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Self

import msgspec

_SPELT: Final = (("Id", "ID"), ("Uri", "URI"))


def format_time(time: datetime) -> str:
    """Write a time as the API server does: RFC 3339, UTC, whole seconds."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def format_number(value: float) -> str:
    """Write a number with four decimals, and with an exponent where those were long: 32 characters at most.

    >>> [format_number(value) for value in (0.25, -1 / 3, 1e15, 1.5e300)]
    ['0.2500', '-0.3333', '1e+15', '1.5e+300']
    """
    return f"{value:.4f}" if abs(value) < 1e15 else f"{value:.6g}"


def wire_name(name: str) -> str:
    """Spell `run_id` as `runID`: Kubernetes keeps initialisms in capitals, `uri` at the start stays small."""
    first, *others = name.split("_")
    camel = first + "".join(word.capitalize() for word in others)
    for written, spelt in _SPELT:
        if camel.endswith(written):
            return camel.removesuffix(written) + spelt
    return camel


class ApiModel(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """Frozen, camelCase on the wire, documented under its fields. Unknown fields are ignored."""

    schema: ClassVar[Mapping[str, Any]] = {}
    """What the CRD says of the object beyond its fields."""

    @classmethod
    def from_wire(cls, document: Mapping[str, Any]) -> Self:
        """Read a document.

        Raises:
            msgspec.ValidationError: It is none of this kind; `complaint` says where.
        """
        return msgspec.convert(document, cls)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a document.

        Raises:
            msgspec.ValidationError: It is none of this kind.
            msgspec.DecodeError: It is no JSON. The base of the above.
        """
        return msgspec.json.decode(text, type=cls)

    def to_wire(self) -> dict[str, Any]:
        """Return the document as it is sent: wire names, absent where None."""
        document: dict[str, Any] = _wire(self)
        return document

    def to_json(self, indent: int | None = None) -> str:
        """Return the document as JSON, without a space unless it is indented."""
        separators = None if indent else (",", ":")
        return json.dumps(self.to_wire(), ensure_ascii=False, indent=indent, separators=separators)

    def replaced(self, **changes: Any) -> Self:
        """Return the same with other values in these fields, by their names in Python."""
        return msgspec.structs.replace(self, **changes)


def first_violation(error: msgspec.ValidationError) -> tuple[list[str], str]:
    """Return the path of the field that cannot be read, by wire names, and what is wrong with it."""
    what, _, where = str(error).partition(" - at `$")
    path = re.findall(r"[^.\[\]`]+", where)
    if missing := re.match(r"Object missing required field `(.+)`", what):
        return [*path, missing[1]], "it is required, and missing"
    return path, what


def _wire(value: Any) -> Any:
    match value:
        case ApiModel():
            fields = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
            return _present((wire, getattr(value, name)) for wire, name in fields)
        case list() | tuple():
            return [_wire(each) for each in value]
        case datetime():
            return format_time(value)
        case _:
            return value


def _present(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _wire(value) for name, value in fields if value is not None}
