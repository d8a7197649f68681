"""Hostile feature columns and hostile names. The target can be learnt: a model is mostly registered."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa

from fuzzretrain.inputs import (
    ANY_RESULT,
    ROWS,
    TARGET,
    Input,
    Kind,
    Random,
    gaps,
    is_chance,
    pair,
    with_column,
)

Column = Callable[[Random, int], pa.Array]

_DAY: Final = dt.date(2026, 11, 22)


def _of(values: Callable[[Random, int], Any], kind: pa.DataType | None = None) -> Column:
    return lambda random, rows: pa.array(values(random, rows), kind, mask=gaps(random, rows))


def _words(*words: str) -> Column:
    return lambda random, rows: pa.array(
        random.choice(list(words), rows).astype(object), mask=gaps(random, rows)
    )


def _encoded(column: Column) -> Column:
    return lambda random, rows: column(random, rows).dictionary_encode()


def _scaled(random: Random, rows: int) -> Any:
    return random.normal(size=rows) * 10.0 ** random.integers(-200, 200)


def _odd_floats(random: Random, rows: int) -> Any:
    odd = random.choice([np.inf, -np.inf, 5e-324, 1.7e308, -1.7e308, -0.0], rows)
    return np.where(random.random(rows) < 0.1, odd, random.normal(size=rows))


def _codes(random: Random, rows: int) -> Any:
    return 2**60 + random.integers(0, 50, rows)


def _decimals(random: Random, rows: int) -> Any:
    return [Decimal(int(value)) / 4 for value in random.integers(0, 100, rows)]


def _nearly_empty(random: Random, rows: int) -> pa.Array:
    return pa.array(random.normal(size=rows), mask=random.random(rows) < 0.97)


def _times(random: Random, rows: int) -> Any:
    return [
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=int(m))
        for m in random.integers(0, 9**6, rows)
    ]


def _dates(random: Random, rows: int) -> Any:
    return [_DAY - dt.timedelta(days=int(days)) for days in random.integers(0, 700, rows)]


COLUMNS: Final[dict[str, Column]] = {
    "int8 with gaps": _of(lambda random, rows: random.integers(-5, 6, rows).astype("int8")),
    "integers with gaps": _of(lambda random, rows: random.integers(0, 10**6, rows)),
    "uint64": _of(lambda random, rows: random.integers(0, 2**63, rows).astype("uint64") * 2),
    "codes above 2**53": _of(_codes),
    "float16": _of(lambda random, rows: random.normal(size=rows).astype("float16")),
    "float32": _of(lambda random, rows: random.normal(size=rows).astype("float32")),
    "floats of any scale": _of(_scaled),
    "infinite and tiny floats": _of(_odd_floats),
    "booleans": _of(lambda random, rows: random.random(rows) < 0.5),
    "words of gaps": _words("a", "b", "", "nan", "None", "NA", "null"),
    "eighty words": _encoded(_words(*(f"w{number}" for number in range(80)))),
    "three hundred words": _words(*(f"w{number}" for number in range(300))),
    "encoded integers": _encoded(_of(lambda random, rows: random.integers(0, 300, rows))),
    "encoded codes": _encoded(_of(_codes)),
    "encoded fractions": _encoded(_of(lambda random, rows: random.choice([0.5, 1.5], rows))),
    "decimals": _of(_decimals),
    "one number": _of(lambda _, rows: np.full(rows, 7)),
    "one word": _words("x"),
    "truth as words": _words("true", "false"),
    "numbers as words": _words("1", "2", "03"),
    "numbers with stray words": _words("1", "2.5", "-3", "n.a."),
    "two integers": _of(lambda random, rows: random.integers(0, 2, rows)),
    "other scripts and control characters": _words("日本", "ß", "\x00", "a\nb", '"q"', "a,b", "\u202e"),
    "nearly empty": _nearly_empty,
    "empty": lambda _, rows: pa.nulls(rows),
    "dates": _of(_dates),
    "times with a zone": _of(_times, pa.timestamp("us", "UTC")),
    "dates as words": _of(lambda random, rows: [str(each) for each in _dates(random, rows)]),
    "durations": _of(lambda random, rows: random.integers(0, 10**6, rows), pa.duration("s")),
    "bytes": _of(lambda random, rows: [random.bytes(3) for _ in range(rows)], pa.binary()),
    "lists": lambda random, rows: pa.array([[int(n)] for n in random.integers(0, 5, rows)]),
    "structs": lambda random, rows: pa.array([{"a": int(n)} for n in random.integers(0, 5, rows)]),
    "row numbers": lambda _, rows: pa.array(np.arange(rows)),
    "long texts": _of(lambda random, rows: [random.bytes(40).hex() * 20 for _ in range(rows)]),
}

NAMES: Final = (
    "self", "target", "index", "X", "y", "0", "a b", "x.y", "é", "columns", "cond", "other", "dtype", "items",
    "__x", "model", "level_0", "A" * 200, "'q\"", "\n", "{", "[x]", "<y>", ":", "prediction", "id", "params",
    "None", "nan", "Ω", " x ", "a/b", "a|b", "日本", "-", "data", "model_input", "context",
)  # fmt: skip


def _beside(column: Column) -> Callable[[Random], Input]:
    def make(random: Random) -> Input:
        quantity = is_chance(random, 3)
        reference, current = pair(
            random, lambda table: with_column(table, "odd", column(random, len(table))), quantity=quantity
        )
        declared = {"columns": {"categorical": ["odd"]}} if is_chance(random, 4) else {}
        return Input(
            reference=reference, current=current, spec={"dataset": declared}, as_csv=is_chance(random, 4)
        )

    return make


def _only_of(*names: str) -> Callable[[Random], Input]:
    """Return the maker of tables whose other features are one column: a model may learn from it alone."""

    def make(random: Random) -> Input:
        def change(table: pa.Table) -> pa.Table:
            column = COLUMNS[str(random.choice(names))]
            return with_column(table.drop_columns(["n", "plan"]), "plan", column(random, len(table)))

        reference, current = pair(random, change)
        return Input(reference=reference, current=current)

    return make


def _two_types(random: Random) -> Input:
    """One column, of another type on either side."""
    reference, current = pair(random, lambda table: table)
    one, other = random.choice(list(COLUMNS), 2, replace=False)
    return Input(
        reference=with_column(reference, "odd", COLUMNS[one](random, ROWS)),
        current=with_column(current, "odd", COLUMNS[other](random, ROWS)),
    )


def _named(random: Random) -> Input:
    chosen = [str(each) for each in random.choice(NAMES, 3, replace=False)]
    reference, current = pair(
        random, lambda table: table.rename_columns([*chosen, TARGET]), quantity=is_chance(random, 3)
    )
    return Input(reference=reference, current=current, as_csv=is_chance(random, 3))


def _named_target(random: Random) -> Input:
    name = str(random.choice(NAMES))
    reference, current = pair(random, lambda table: table.rename_columns(["x 1", "n 1", "plan 1", name]))
    return Input(reference=reference, current=current, spec={"target": name}, as_csv=is_chance(random, 3))


def _alike(random: Random) -> Input:
    """Names that differ in case alone, or in a blank."""
    names = random.choice([["a", "A", "a "], ["x", "X", "x_1"], ["n", "N", "\uff2e"]])
    reference, current = pair(random, lambda table: table.rename_columns([*map(str, names), TARGET]))
    return Input(reference=reference, current=current)


def _many(random: Random) -> Input:
    """Seventy columns of all types beside x."""

    def change(table: pa.Table) -> pa.Table:
        for number in range(70):
            column = COLUMNS[str(random.choice(list(COLUMNS)))]
            table = with_column(table, f"c{number}", column(random, len(table)))
        return table

    reference, current = pair(random, change)
    return Input(reference=reference, current=current)


def _lost(random: Random) -> Input:
    reference, current = pair(random, lambda table: table)
    policy = {"missing": str(random.choice(["Fail", "Skip", "CountAsDrift"]))}
    return Input(
        reference=reference,
        current=current.drop_columns([str(random.choice(["x", "n", "plan"]))]),
        spec={"dataset": {"columnPolicy": policy}},
    )


def _new(random: Random) -> Input:
    reference, current = pair(random, lambda table: table)
    column = COLUMNS[str(random.choice(list(COLUMNS)))]
    return Input(reference=reference, current=with_column(current, "fresh", column(random, ROWS)))


KINDS: Final = (
    *(Kind(name=f"column: {name}", make=_beside(column), may=ANY_RESULT) for name, column in COLUMNS.items()),
    Kind(name="column: words alone", make=_only_of("three hundred words", "words of gaps", "truth as words")),
    Kind(
        name="column: numbers alone",
        make=_only_of("uint64", "float16", "floats of any scale", "nearly empty"),
    ),
    Kind(name="column: two types", make=_two_types),
    Kind(name="column: only in the reference", make=_lost),
    Kind(name="column: only in the current data", make=_new),
    Kind(name="columns: seventy of all types", make=_many),
    Kind(name="names: of features", make=_named),
    Kind(name="names: of the target", make=_named_target),
    Kind(name="names: alike", make=_alike),
)
