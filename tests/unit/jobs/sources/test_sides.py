"""What a run asks of its sources, from the spec to the tables."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.sides import (
    left_out,
    open_current,
    open_labelled_current,
    open_reference,
)
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.request import RunRequest
from support.builders.run_requests import run_request

SLOT = datetime(2026, 11, 23, 6, tzinfo=UTC)
HOURS = range(-48, 3)
"""When the rows of current were made, before and after the slot."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference, current data whose rows are an hour apart, and labels for the oldest twenty."""
    rows: dict[str, list[Any]] = {
        "id": [f"c{hour}" for hour in HOURS],
        "ts": [(SLOT + timedelta(hours=hour)).isoformat() for hour in HOURS],
        "x": [float(hour) for hour in HOURS],
        "plan": [7 for _ in HOURS],
        "score": [0.5 for _ in HOURS],
    }
    current = pd.DataFrame(rows)
    current.assign(extra=1).to_csv(tmp_path / "current.csv", index=False)
    current.assign(label=1).to_parquet(tmp_path / "reference.parquet", index=False)
    pd.DataFrame({"id": rows["id"][:20], "label": [1] * 20}).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def request(folder: Path, **dataset: Any) -> RunRequest:
    """Return a request over the folder; what is not named is absent."""
    sides = {
        "reference": {"uri": str(folder / "reference.parquet")},
        "current": {"uri": str(folder / "current.csv")},
    }
    return run_request(dataset=sides | dataset, slot="2026-11-23T06:00:00Z")


WINDOW = {"timestampColumn": "ts", "lookbackSeconds": 6 * 3600}


def test_what_is_not_compared_is_not_read(folder: Path) -> None:
    """Predictions, keys, timestamps and what is excluded; and of current only what the reference has."""
    asked = request(
        folder,
        columns={"prediction": "score", "exclude": ["x"]},
        window=WINDOW,
        labels={"uri": str(folder / "labels.csv"), "joinColumn": "id"},
    )

    reference = open_reference(asked)

    assert reference.schema.names == ["plan", "label"]
    assert open_current(asked, reference).schema.names == ["plan"]
    assert "extra" in open_current(asked, reference, all_columns=True).schema.names


def test_only_what_is_included_is_read(folder: Path) -> None:
    """And the target, which nobody includes."""
    reference = open_reference(request(folder, columns={"include": ["x", "plan"]}))

    assert reference.schema.names == ["x", "plan", "label"]


def test_an_included_column_that_is_not_there_is_told(folder: Path) -> None:
    """A typing error would otherwise leave a column unwatched for ever."""
    with pytest.raises(DataError, match="include names 'y', which the reference lacks") as caught:
        open_reference(request(folder, columns={"include": ["x", "y"]}))

    assert caught.value.reason is Reason.COLUMN_MISSING


def test_the_window_ends_at_the_slot(folder: Path) -> None:
    """Not when the container happens to run; the reference has no window."""
    asked = request(folder, window=WINDOW)
    reference = open_reference(asked)

    current = open_current(asked, reference)

    assert reference.num_rows == len(HOURS)
    assert current.column("x").to_pylist() == [-5.0, -4.0, -3.0, -2.0, -1.0, 0.0]


def test_an_empty_window_is_told_with_its_bounds(folder: Path) -> None:
    """The data is there, but not for this time: no verdict, and what to look at."""
    asked = request(folder, window=WINDOW | {"offsetSeconds": 30 * 86400})

    with pytest.raises(DataError, match="later than 2026-10-24T00:00:00Z and not later than") as caught:
        open_current(asked, open_reference(asked))

    assert caught.value.reason is Reason.EMPTY_DATA


@pytest.mark.parametrize(
    ("times", "written", "said"),
    [
        (["28.11.2026 10:00"] * 3, None, "values such as '28.11.2026 10:00'. Write times in ISO 8601 or as "),
        ([None, "x" * 99, "y"], None, f"values such as '{'x' * 40}'. "),
        ([None] * 3, None, "no value at all"),
        (["2026-11-23"] * 3, "%d.%m.%Y", "Write times in the format %d.%m.%Y, or set"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_without_a_readable_time_is_told_with_a_value(
    folder: Path, times: list[Any], written: str | None, said: str, suffix: str
) -> None:
    """No other window would hold a row: how times are written has to be said."""
    current = pd.DataFrame({"x": 1.0, "plan": 7, "ts": pd.array(times, dtype="string")})
    path = folder / f"times.{suffix}"
    current.to_csv(path, index=False) if suffix == "csv" else current.to_parquet(path)
    asked = request(folder, window=WINDOW | {"format": written}, current={"uri": str(path)})

    with pytest.raises(DataError) as caught:
        open_current(asked, open_reference(asked))

    assert caught.value.reason is Reason.EMPTY_DATA
    assert str(caught.value).startswith("spec.dataset.window.timestampColumn: 'ts' of ")
    assert "has no time that can be read in 3 rows" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "times",
    [["2020-01-01T00:00Z", "x"], [datetime(2020, 1, 1, tzinfo=UTC), None]],
    ids=["text", "timestamps"],
)
def test_one_readable_time_outside_the_window_is_an_empty_window(folder: Path, times: list[Any]) -> None:
    """Also where its row group is skipped by its statistics."""
    pd.DataFrame({"x": 1.0, "plan": 7, "ts": times}).to_parquet(folder / "times.parquet")
    asked = request(folder, window=WINDOW, current={"uri": str(folder / "times.parquet")})

    with pytest.raises(DataError, match=r"no row at .* is in the window, .*1 have none that can be read"):
        open_current(asked, open_reference(asked))


def test_a_larger_side_is_a_sample_of_its_slot(folder: Path) -> None:
    """Of both sides, and the same one again for the same slot."""
    pd.DataFrame({"x": range(5000), "label": 1}).to_csv(folder / "current.csv", index=False)
    asked = request(folder, maxRows=1000)
    reference = open_reference(asked)

    first, again = (open_current(asked, reference) for _ in range(2))
    later = open_current(asked.replaced(slot=SLOT + timedelta(hours=1)), reference)

    assert not reference.rows.sampled
    assert (first.num_rows, first.rows.sampled, first.rows.counted) == (1000, True, 5000)
    assert first.column("x").equals(again.column("x"))
    assert not first.column("x").equals(later.column("x"))


@pytest.mark.parametrize(("delay", "rows"), [(0, 0), (29 * 3600, 6), (31 * 3600, 6), (26 * 3600, 3)])
def test_labels_are_asked_of_rows_that_are_old_enough(folder: Path, delay: int, rows: int) -> None:
    """The window moves back by the delay; labels reach from 48 to 29 hours before the slot."""
    labels = {"uri": str(folder / "labels.csv"), "joinColumn": "id", "delaySeconds": delay}
    asked = request(folder, window=WINDOW, labels=labels)
    reference = open_reference(asked)

    if rows:
        found = open_labelled_current(asked, reference)
        assert found.num_rows == rows
        assert found.column("label").to_pylist() == [1] * rows
        return
    with pytest.raises(DataError) as caught:
        open_labelled_current(asked, reference)
    assert caught.value.reason is Reason.LABELS_NOT_AVAILABLE


def test_the_log_says_what_was_joined(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In words; and that without a window no row is too young."""
    labels = {"uri": str(folder / "labels.csv"), "joinColumn": "id", "delaySeconds": 3600}
    asked = request(folder, labels=labels)
    caplog.set_level("INFO")

    open_labelled_current(asked, open_reference(asked))

    assert "Joined labels: 20 of 51 rows have a label (39.2%)" in caplog.messages
    assert "Opened 51 rows of current for labels" in caplog.messages
    assert (
        "spec.dataset.labels.delaySeconds is not applied: there is no spec.dataset.window" in caplog.messages
    )


def test_labels_that_nobody_has_delivered_are_not_available(folder: Path) -> None:
    """The file will come; that is no error of the address for sure."""
    asked = request(folder, labels={"uri": str(folder / "none.csv"), "joinColumn": "id"})

    with pytest.raises(DataError, match=r"no labels: .*no file was found") as caught:
        open_labelled_current(asked, open_reference(asked))

    assert caught.value.reason is Reason.LABELS_NOT_AVAILABLE


def test_what_is_left_out_of_the_current_data_is_told(folder: Path) -> None:
    """Rows without a time, and rows and labels without each other: a retraining says so, too."""
    labels = {"uri": str(folder / "labels.csv"), "joinColumn": "id"}
    asked = request(folder, window=WINDOW | {"format": "%Y-%m-%dT%H:%M:%S%z"})
    days = request(folder, window=WINDOW | {"lookbackSeconds": 4 * 86_400}, labels=labels)

    assert left_out(open_current(asked, open_reference(asked))) == ()
    assert left_out(open_labelled_current(days, open_reference(days))) == (
        "20 of 49 rows have a label (40.8%)",
    )


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("foo,bar", Reason.COLUMN_MISSING),
        ("id,ts,x,plan", Reason.COLUMN_MISSING),
        ("id,ts,x,plan,score", Reason.EMPTY_DATA),
        ("id,ts,x,plan,score,label,more", Reason.EMPTY_DATA),
    ],
)
def test_a_header_without_rows_is_empty_data_only_with_the_reference_s_columns(
    folder: Path, header: str, reason: Reason
) -> None:
    """Labels may come later; another table is a mistake, and not a lack of rows."""
    (folder / "current.csv").write_text(f"{header}\n")
    asked = request(folder)

    with pytest.raises(DataError) as caught:
        open_current(asked, open_reference(asked))

    assert caught.value.reason is reason


def test_an_empty_parquet_file_of_another_table_lacks_columns(folder: Path) -> None:
    """As a header without rows."""
    pd.DataFrame({"foo": [1.0]}).head(0).to_parquet(folder / "other.parquet")
    asked = request(folder, current={"uri": str(folder / "other.parquet")})

    with pytest.raises(DataError, match="lacks 'id' of the reference") as caught:
        open_current(asked, open_reference(asked))

    assert caught.value.reason is Reason.COLUMN_MISSING
