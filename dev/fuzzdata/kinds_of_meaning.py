"""Data that is well formed and can be misread, each with what a check has to say of it.

The current data holds the values of the reference in another order, so that drift is a misreading.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fuzzdata.inputs import ROWS, Kind, Random, table
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.report import CheckReport

Spec = dict[str, Any]
_GAP_WORDS: Final = ("NA", "None", "null", "NULL", "n/a", "NaN", "nan", "N/A", "<NA>", "#N/A")
_NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""Some hours before the slot of every check."""
_LIMIT: Final = 2**53


@dataclass(frozen=True, slots=True)
class _Case:
    """Both sides, what the spec says beside them, and what is wrong with a report."""

    reference: pa.Table
    spec: Spec
    wrong: Callable[[CheckReport], Iterator[str]]


def _kind(name: str, make: Callable[[Path, Random], _Case]) -> Kind:
    """Return a kind whose oracle depends on what was drawn."""
    cases: dict[Path, _Case] = {}

    def write(folder: Path, random: Random) -> str:
        (folder / "current").mkdir()
        case = make(folder, random)
        pq.write_table(case.reference, folder / "reference.parquet")
        cases[folder] = case
        return "current"

    return Kind(
        name=f"meaning: {name}",
        write=write,
        is_garbage=False,
        spec=lambda folder: cases[folder].spec,
        wrong=lambda folder, report: cases.pop(folder).wrong(report),
    )


def _save(folder: Path, frame: pa.Table, *, as_csv: bool, name: str = "part") -> None:
    if as_csv:
        frame.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}.get).to_csv(
            folder / f"{name}.csv", index=False
        )
    else:
        pq.write_table(frame, folder / f"{name}.parquet")


def _with(random: Random, **columns: Any) -> pa.Table:
    """Return an ordinary table with these columns more, or in place of its own."""
    result = pa.Table.from_pandas(table(random), preserve_index=False)
    for name, values in columns.items():
        if name in result.schema.names:
            result = result.drop_columns([name])
        result = result.append_column(name, values if isinstance(values, pa.Array) else pa.array(values))
    return result


def _shuffled(random: Random, rows: pa.Table) -> pa.Table:
    return rows.take(pa.array(random.permutation(len(rows))))


def _no_drift(report: CheckReport) -> Iterator[str]:
    check = report.last_check
    quiet = (CheckResult.NO_DRIFT, CheckResult.INCONCLUSIVE)
    if check.result not in quiet or check.columns_drifted or check.new_categories:
        yield f"equal values are called {check.result}: {check.message}; {check.new_categories}"


def _says(result: CheckResult, reason: Reason, *words: str) -> Callable[[CheckReport], Iterator[str]]:
    def wrong(report: CheckReport) -> Iterator[str]:
        check = report.last_check
        if (check.result, check.reason) != (result, reason):
            yield f"is {check.result} ({check.reason}), not {result} ({reason}): {check.message}"
        yield from (f"lacks {word!r}: {check.message}" for word in words if word not in check.message)

    return wrong


def _mentions(*words: str) -> Callable[[CheckReport], Iterator[str]]:
    def wrong(report: CheckReport) -> Iterator[str]:
        said = report.last_check.message
        yield from (f"lacks {word!r}: {said}" for word in words if word not in said)

    return wrong


def _all_right(rows: int) -> Callable[[CheckReport], Iterator[str]]:
    """The predictions are the labels, in so many rows."""

    def wrong(report: CheckReport) -> Iterator[str]:
        (signal,) = report.last_check.signals
        if signal.value != "1" or f"on {rows} rows" not in signal.message:
            yield f"an accuracy of 1 on {rows} rows is told as {signal.value}: {signal.message}"

    return wrong


_ACCURACY: Final = [
    {"name": "right", "type": "Performance", "performance": {"metric": "accuracy", "minValue": 0.5}}
]


def _gap_words(folder: Path, random: Random) -> _Case:
    words = random.choice([str(random.choice(_GAP_WORDS)), "Mild", "Severe"], size=ROWS).astype(object)
    words[random.random(ROWS) < 0.1 * random.integers(0, 2)] = None
    reference = _with(random, severity=words.tolist())
    _save(folder / "current", _shuffled(random, reference), as_csv=bool(random.integers(0, 4)))
    return _Case(reference, {}, _no_drift)


def _gap_words_as_labels(folder: Path, random: Random) -> _Case:
    label = random.choice([str(random.choice(_GAP_WORDS)), "Mild"], size=ROWS).tolist()
    reference = _with(random, label=label, score=label)
    _save(folder / "current", _shuffled(random, reference), as_csv=True)
    return _Case(reference, {"signals": _ACCURACY}, _all_right(ROWS))


def _codes(random: Random) -> Any:
    return _LIMIT + 1 + random.choice(random.integers(0, 2**50, size=int(random.integers(2, 9))), size=ROWS)


_EXACT: Final[Mapping[str, Callable[[list[int]], pa.Array]]] = {
    "int64": lambda values: pa.array(values, pa.int64()),
    "uint64": lambda values: pa.array(values, pa.uint64()),
    "decimal": lambda values: pa.array([Decimal(value) for value in values], pa.decimal128(20, 0)),
}


def _long_codes(folder: Path, random: Random) -> _Case:
    """Codes in any two exact types, in one file or several, with gaps or without."""
    codes = _codes(random).tolist()
    reference = _with(random, code=_EXACT[str(random.choice(list(_EXACT)))](codes))
    current = _shuffled(random, _with(random, code=pa.array(codes, pa.int64())))
    half = ROWS // 2
    for number, rows in enumerate((current.slice(0, half), current.slice(half))):
        values = _EXACT[str(random.choice(list(_EXACT)))](rows.column("code").to_pylist())
        part = rows.set_column(rows.schema.get_field_index("code"), "code", values)
        _save(folder / "current", part, as_csv=bool(random.integers(0, 2)), name=f"part-{number}")
    gap = reference.slice(0, 1).set_column(
        reference.schema.get_field_index("code"), "code", pa.array([None], pa.int64())
    )
    if random.integers(0, 2):
        _save(folder / "current", gap, as_csv=bool(random.integers(0, 2)), name="gap")
    return _Case(reference, {}, _no_new_codes)


def _no_new_codes(report: CheckReport) -> Iterator[str]:
    check = report.last_check
    if check.result is CheckResult.ERROR or any(each.name == "code" for each in check.new_categories):
        yield f"exact codes are misread: {check.message}; {check.new_categories}"


def _rounded_codes(folder: Path, random: Random) -> _Case:
    """A part, or a side, has made floats of the codes."""
    codes = _codes(random).tolist()
    reference = _with(random, code=pa.array(codes, pa.int64()))
    rounded = _with(random, code=pa.array([float(code) for code in codes]))
    if random.integers(0, 2):
        _save(folder / "current", rounded, as_csv=False)
        return _Case(reference, {}, _says(CheckResult.ERROR, Reason.COLUMN_TYPE_CHANGED, "'code'", "2**53"))
    as_csv = bool(random.integers(0, 2))
    _save(folder / "current", reference, as_csv=False, name="exact")
    _save(folder / "current", rounded, as_csv=as_csv, name="rounded")
    return _Case(reference, {}, _is_error_of_codes)


def _is_error_of_codes(report: CheckReport) -> Iterator[str]:
    """Codes that are exact as floats by chance are read, and then differ from the reference's in type."""
    check = report.last_check
    reasons = (Reason.DATA_UNREADABLE, Reason.COLUMN_TYPE_CHANGED)
    if check.result is not CheckResult.ERROR or check.reason not in reasons or "'code'" not in check.message:
        yield f"rounded codes are compared: {check.result} ({check.reason}): {check.message}"


def _padded_keys(folder: Path, random: Random) -> _Case:
    """Keys with leading zeros: text in Parquet, digits in CSV, on either side."""
    width = int(random.integers(4, 12))
    keys = [f"{key:0{width}}" for key in random.permutation(ROWS).tolist()]
    label = random.integers(0, 2, size=ROWS).tolist()
    reference = _with(random, key=keys, label=label, score=label)
    _save(folder / "current", reference.drop_columns(["label"]), as_csv=bool(random.integers(0, 2)))
    (folder / "labels").mkdir()
    labels = _shuffled(random, reference.select(["key", "label"]))
    _save(folder / "labels", labels, as_csv=bool(random.integers(0, 2)))
    return _Case(reference, _labels(folder, "key"), _all_right(ROWS))


def _labels(folder: Path, key: str) -> Spec:
    return {
        "dataset": {"labels": {"uri": str(folder / "labels"), "joinColumn": key}},
        "signals": _ACCURACY,
    }


def _few_labels(folder: Path, random: Random) -> _Case:
    """Most rows have no label, and most labels no row."""
    label = random.integers(0, 2, size=ROWS).tolist()
    reference = _with(random, key=list(range(ROWS)), label=label, score=label)
    _save(folder / "current", reference.drop_columns(["label"]), as_csv=bool(random.integers(0, 2)))
    (folder / "labels").mkdir()
    joined = int(random.integers(1, ROWS))
    keys = [key if key < joined else key + 10 * ROWS for key in range(ROWS)]
    labels = pa.table({"key": keys, "label": label})
    _save(folder / "labels", labels, as_csv=bool(random.integers(0, 2)))
    counted = f"{joined} of {ROWS} rows have a label"
    return _Case(
        reference, _labels(folder, "key"), _mentions(counted, f"{ROWS - joined} labels match no row")
    )


_FORMS: Final[Mapping[str, tuple[str | None, Callable[[list[datetime | None]], pa.Array]]]] = {
    "days": ("%Y%m%d", lambda times: pa.array(_written(times, "%Y%m%d", int), pa.int64())),
    "days with gaps": ("%Y%m%d", lambda times: pa.array(_written(times, "%Y%m%d", float))),
    "days as text": ("%Y%m%d", lambda times: pa.array(_written(times, "%Y%m%d", str), pa.string())),
    "German": ("%d.%m.%Y %H:%M", lambda times: pa.array(_written(times, "%d.%m.%Y %H:%M", str), pa.string())),
    "seconds": ("s", lambda times: pa.array([each and int(each.timestamp()) for each in times], pa.int64())),
    "milliseconds": (
        "ms",
        lambda times: pa.array([each and 1000 * int(each.timestamp()) for each in times], pa.int64()),
    ),
    "ISO 8601": (None, lambda times: pa.array([each and each.isoformat() for each in times], pa.string())),
}


def _written(times: list[datetime | None], form: str, convert: Callable[[str], Any]) -> list[Any]:
    return [None if time is None else convert(time.strftime(form)) for time in times]


def _times(random: Random) -> list[datetime | None]:
    """Return times of two days, of which only the later one is in the window, and gaps."""
    ago, gap = random.integers(0, 2, size=ROWS), random.random(ROWS) < 0.5 * random.random()
    return [
        None if lost else _NOON - timedelta(days=2 * int(days)) for days, lost in zip(ago, gap, strict=True)
    ]


def _formats(folder: Path, random: Random) -> _Case:
    """Times in many forms; what is read and what cannot be read is counted."""
    form, written = _FORMS[str(random.choice(list(_FORMS)))]
    times = _times(random)
    reference = _with(random)
    _save(folder / "current", _with(random, at=written(times)), as_csv=bool(random.integers(0, 2)))
    window = {"timestampColumn": "at", "lookbackSeconds": 129_600} | ({"format": form} if form else {})
    inside, lost = times.count(_NOON), times.count(None)

    def wrong(report: CheckReport) -> Iterator[str]:
        rows = report.last_check.rows
        found = (rows.current, rows.without_timestamp or 0) if rows is not None else None
        if found != (inside, lost):
            yield f"of {form} {found} were read and lost, not {(inside, lost)}: {report.last_check.message}"
        if lost and f"{lost} rows of current have no readable timestamp" not in report.last_check.message:
            yield f"is silent about {lost} rows: {report.last_check.message}"

    return _Case(reference, {"dataset": {"window": window, "minRows": 1}}, wrong)


def _days_as_epoch(folder: Path, random: Random) -> _Case:
    """Without a format 20261122 is a second of 1970."""
    days = pa.array([int(f"{_NOON:%Y%m%d}")] * ROWS, pa.int64())
    _save(folder / "current", _with(random, at=days), as_csv=bool(random.integers(0, 2)))
    window = {"timestampColumn": "at", "lookbackSeconds": 86_400}
    says = _says(CheckResult.INCONCLUSIVE, Reason.EMPTY_DATA, "window.format to %Y%m%d")
    return _Case(_with(random), {"dataset": {"window": window}}, says)


def _separators(folder: Path, random: Random) -> _Case:
    """Semicolons, tabs or bars, with a byte order mark or without, with decimal commas or without."""
    reference = _with(random)
    separator, decimal = str(random.choice([";", "\t", "|"])), str(random.choice([".", ","]))
    text = reference.to_pandas().to_csv(index=False, sep=separator, decimal=decimal)
    mark = "\ufeff" * int(random.integers(0, 2))
    (folder / "current" / "part.csv").write_text(mark + text, encoding="utf-8")
    shown = repr(separator.join(reference.schema.names))
    return _Case(reference, {}, _says(CheckResult.ERROR, Reason.DATA_UNREADABLE, f"its header reads {shown}"))


def _decimal_commas(folder: Path, random: Random) -> _Case:
    """Quoted numbers with decimal commas, on one side or on both."""
    reference = _with(random)
    texts = pa.array([f"{value:.4f}".replace(".", ",") for value in reference.column("x").to_pylist()])
    commas = reference.set_column(0, "x", texts)
    _save(folder / "current", commas, as_csv=True)
    if random.integers(0, 2):
        return _Case(commas, {}, _mentions("'x'", "commas"))
    says = _says(CheckResult.ERROR, Reason.COLUMN_TYPE_CHANGED, "'x'", "written with commas")
    return _Case(reference, {}, says)


def _stray_word(folder: Path, random: Random) -> _Case:
    """One word among numbers, in any row of either side."""
    numbers = _with(random)
    texts = [repr(value) for value in numbers.column("x").to_pylist()]
    texts[int(random.integers(0, ROWS))] = str(random.choice(["unknown", "-", "?", "see note"]))
    words = numbers.set_column(0, "x", pa.array(texts))
    if random.integers(0, 2):
        _save(folder / "current", numbers, as_csv=True)
        return _Case(words, {}, _mentions("'x'", f"{ROWS - 1} of "))
    _save(folder / "current", words, as_csv=True)
    counted = f"{ROWS - 1} of {ROWS} values are numbers"
    return _Case(numbers, {}, _says(CheckResult.ERROR, Reason.COLUMN_TYPE_CHANGED, "'x'", counted))


def _misspelt(folder: Path, random: Random) -> _Case:
    """A name with another case, or a letter less."""
    meant = "transaction_amount"
    reference = _with(random, **{meant: random.normal(size=ROWS)})
    _save(folder / "current", reference, as_csv=bool(random.integers(0, 2)))
    cut = int(random.integers(0, len(meant)))
    written = str(random.choice([meant.upper(), meant[:cut] + meant[cut + 1 :], meant.title()]))
    field = str(random.choice(["exclude", "categorical", "prediction", "timestamp"]))
    value = [written] if field in {"exclude", "categorical"} else written
    spec: Spec = {"dataset": {"columns": {"prediction": "score"} | {field: value}}, "signals": []}
    name = f"spec.dataset.columns.{field}"
    if random.integers(0, 4) == 0:
        name = "spec.drift.columns"
        spec = {"drift": {"columns": [{"name": written, "method": "ks"}]}}
    says = _says(CheckResult.ERROR, Reason.COLUMN_MISSING, name, written, f"did you mean '{meant}'")
    return _Case(reference, spec, says)


KINDS: Final = (
    _kind("gap words among categories", _gap_words),
    _kind("gap words among labels", _gap_words_as_labels),
    _kind("codes beyond 2**53", _long_codes),
    _kind("codes beyond 2**53, rounded", _rounded_codes),
    _kind("keys with leading zeros", _padded_keys),
    _kind("few labels are joined", _few_labels),
    _kind("times in many forms", _formats),
    _kind("days that pass for epoch numbers", _days_as_epoch),
    _kind("other separators", _separators),
    _kind("decimal commas", _decimal_commas),
    _kind("one stray word among numbers", _stray_word),
    _kind("a misspelt name", _misspelt),
)
