"""Hostile targets: classes and quantities of every type and distribution."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from fuzzretrain.inputs import (
    ANY_RESULT,
    NOT_REGISTERED,
    ROWS,
    TARGET,
    Input,
    Kind,
    Random,
    Spec,
    gaps,
    is_chance,
    pair,
    with_column,
)
from selfheal_operator.api.reasons import RetrainResult

Target = Callable[[Random, Any], Any]
"""Returns the target from x."""


def _kind(
    name: str,
    values: Target,
    *,
    spec: Spec | None = None,
    may: frozenset[RetrainResult] = ANY_RESULT,
    current: Target | None = None,
) -> Kind:
    def make(random: Random) -> Input:
        sides = pair(random, lambda table: table)
        reference, changed = (
            with_column(table, TARGET, _array(of(random, np.asarray(table["x"]))))
            for table, of in zip(sides, (values, current or values), strict=True)
        )
        return Input(reference=reference, current=changed, spec=dict(spec or {}), as_csv=is_chance(random, 4))

    return Kind(name=f"target: {name}", make=make, may=may)


def _array(values: Any) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, from_pandas=False)


def _chosen(*words: Any) -> Target:
    """Return one of the values by the size of x."""
    return lambda _, x: [words[place] for place in np.digitize(x, np.linspace(-1, 1, len(words) - 1))]


def _gappy(target: Target) -> Target:
    def values(random: Random, x: Any) -> pa.Array:
        return pa.array(list(target(random, x)), mask=gaps(random, len(x)) | (random.random(len(x)) < 0.3))

    return values


def _line(scale: float, shift: float = 0.0) -> Target:
    return lambda random, x: (3 * x + random.normal(scale=0.3, size=len(x))) * scale + shift


def _rare(random: Random, x: Any) -> Any:
    del random
    return ["once" if place == 3 else word for place, word in enumerate(np.where(x > 0, "a", "b"))]


def _ids(random: Random, x: Any) -> Any:
    return [f"row {place}" for place in random.permutation(len(x))]


def _with_infinity(random: Random, x: Any) -> Any:
    return np.where(random.random(len(x)) < 0.05, np.inf, 3 * x)


def _one_outlier(random: Random, x: Any) -> Any:
    return np.where(np.arange(len(x)) == random.integers(0, len(x)), 1e18, 3 * x)


_STRAY: Final = (
    _chosen(0, 1),
    lambda _, x: pa.array([str(int(v > 0)) if place else "unknown" for place, v in enumerate(x)]),
)

KINDS: Final = (
    _kind("two words", _chosen("no", "yes")),
    _kind("booleans", lambda _, x: x > 0),
    _kind("booleans with gaps", _gappy(lambda _, x: [bool(value > 0) for value in x])),
    _kind("words with gaps", _gappy(_chosen("no", "yes"))),
    _kind("integers with gaps", _gappy(_chosen(0, 1))),
    _kind("words of gaps", _chosen("NA", "None", "nan")),
    _kind("an empty word", _chosen("", "a")),
    _kind("truth as words", _chosen("False", "True")),
    _kind("numbers as words", _chosen("01", "1", "2")),
    _kind("long codes", _chosen(120_330_000_000_000_001, 120_330_000_000_000_017)),
    _kind("unsigned long codes", lambda _, x: pa.array([2**63 + int(v > 0) for v in x], pa.uint64())),
    _kind("int8", lambda _, x: np.sign(x).astype("int8")),
    _kind("other scripts", _chosen("日本", "ß", "a\nb", '"q"')),
    _kind("encoded words", lambda random, x: pa.array(_chosen("no", "yes")(random, x)).dictionary_encode()),
    _kind("whole floats", lambda _, x: (x > 0).astype(float)),
    _kind("decimals", lambda _, x: [Decimal(int(v * 4)) / 4 for v in x]),
    _kind("twelve classes", _chosen(*range(12)), spec={"task": "Classification"}),
    _kind("a class of one row", _rare),
    _kind("as many classes as rows", _ids, may=NOT_REGISTERED),
    _kind("classes of names", _chosen("self", "nan", "0", "None")),
    _kind("one class", lambda _, x: np.ones(len(x), dtype=int), may=NOT_REGISTERED),
    _kind("one word", _chosen("yes", "yes"), may=NOT_REGISTERED),
    _kind("empty", lambda _, x: pa.nulls(len(x), pa.float64()), may=NOT_REGISTERED),
    _kind("nearly empty", lambda _, x: pa.array(x, mask=np.arange(len(x)) > 3), may=NOT_REGISTERED),
    _kind("without any order", lambda random, x: random.integers(0, 2, len(x)), may=NOT_REGISTERED),
    _kind("fractions as classes", _line(1), spec={"task": "Classification"}),
    _kind("words as quantities", _chosen("no", "yes"), spec={"task": "Regression"}, may=NOT_REGISTERED),
    _kind("classes as quantities", _chosen(0, 1), spec={"task": "Regression"}),
    _kind("dates", lambda _, x: [dt.date(2026, 1, 1) + dt.timedelta(days=int(9 * v)) for v in x]),
    _kind("lists", lambda _, x: pa.array([[int(v > 0)] for v in x]), may=NOT_REGISTERED),
    _kind("bytes", lambda _, x: pa.array([b"\xff" if v > 0 else b"\x00" for v in x]), may=NOT_REGISTERED),
    _kind("huge quantities", _line(1e300)),
    _kind("tiny quantities", _line(1e-300)),
    _kind("far from zero", _line(1e-3, 1e9)),
    _kind("infinite quantities", _with_infinity, spec={"task": "Regression"}),
    _kind("one outlier", _one_outlier, spec={"task": "Regression"}),
    _kind("float32", lambda random, x: pa.array(_line(1)(random, x), pa.float32())),
    _kind("whole quantities", lambda random, x: np.round(_line(1e4)(random, x)).astype("int64")),
    _kind("x itself", lambda _, x: x, may=NOT_REGISTERED),
    _kind("other words now", _chosen(0, 1), current=_chosen("no", "yes"), may=NOT_REGISTERED),
    _kind("one stray word now", _STRAY[0], current=_STRAY[1], may=NOT_REGISTERED),
    _kind("a new class now", _chosen("a", "b"), current=_chosen("a", "b", "c")),
    _kind("a vanished class now", _chosen("a", "b", "c"), current=_chosen("a", "b")),
    _kind("quantities now", _chosen(0, 1), current=_line(1)),
    _kind("classes now", _line(1), current=_chosen(0, 1)),
)


def _missing(random: Random) -> Input:
    reference, current = pair(random, lambda table: table)
    side = int(random.integers(0, 3))
    return Input(
        reference=reference.drop_columns([TARGET]) if side != 1 else reference,
        current=current.drop_columns([TARGET]) if side != 0 else current,
    )


def _joined(random: Random) -> Input:
    """Labels that arrive in a table of their own, with few or all keys, and some twice."""
    reference, current = pair(
        random, lambda table: with_column(table, "key", pa.array(random.permutation(ROWS)))
    )
    labels = current.select(["key", TARGET]).to_pandas()
    labels = labels.sample(frac=float(random.choice([0.02, 0.5, 1.0])), random_state=random)
    if is_chance(random, 2):
        labels = pd.concat([labels, labels.head(3)])
    if is_chance(random, 2):
        labels["key"] = [f"{key:05d}" for key in labels["key"]]
    return Input(
        reference=reference,
        current=current.drop_columns([TARGET]),
        labels=pa.Table.from_pandas(labels, preserve_index=False),
    )


KINDS_OF_DELIVERY: Final = (
    Kind(name="target: missing", make=_missing),
    Kind(name="target: joined", make=_joined),
)
