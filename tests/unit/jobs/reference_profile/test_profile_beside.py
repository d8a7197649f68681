"""A profile beside the data: when it is kept, when it is used, and what it never does."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import keep_profile, look
from selfheal_jobs.reference_profile import opening
from selfheal_jobs.reference_profile.beside import Beside
from selfheal_jobs.reference_profile.profile import VERSION, Profile
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.file_store import FileData
from selfheal_jobs.sources.opening import locate
from selfheal_jobs.sources.parquet_columns import ParquetColumns
from selfheal_jobs.sources.parquet_files import ParquetReader
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource
from support.builders.profiled_checks import (
    LONG_AGO_NS,
    by_profile,
    checked,
    columns_read,
    profiles,
    request_in,
    stored,
    told,
)

ROWS = 2_000
LATER_NS = LONG_AGO_NS + 1_000_000_000


def table(seed: int = 0) -> pd.DataFrame:
    """Return one column of measurements, and five of few values."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "measured": random.normal(size=ROWS),
            "age": random.integers(18, 90, size=ROWS),
            "plan": random.choice(["a", "b", "c"], size=ROWS),
            "flag": random.integers(0, 2, size=ROWS).astype(bool),
            "mail": [f"{each}@example.com" for each in random.integers(0, 10**9, size=ROWS)],
            "label": random.integers(0, 2, size=ROWS),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference and current data of the same columns."""
    stored(table(), tmp_path / "reference.parquet")
    stored(table(1), tmp_path / "current.parquet")
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every column that is read of a Parquet file, with the file's name."""
    found: list[tuple[str, str]] = []
    batches, pieces = ParquetReader.batches, ParquetColumns._pieces

    def rows_of(self: ParquetReader, names: Sequence[str], *others: Any) -> Iterator[pa.RecordBatch]:
        found.extend((self.file.name, name) for name in names)
        return batches(self, names, *others)

    def column_of(self: ParquetColumns, name: str, rows: int) -> Iterator[pa.Array]:
        found.append((self._reader.file.name, name))
        return pieces(self, name, rows)

    monkeypatch.setattr(ParquetReader, "batches", rows_of)
    monkeypatch.setattr(ParquetColumns, "_pieces", column_of)
    return found


def test_only_what_a_method_needs_is_read(folder: Path, read: list[tuple[str, str]]) -> None:
    """One column of measurements is read of the reference, and no other one is touched."""
    request = request_in(folder)
    checked(request)
    read.clear()

    seen = checked(request)

    assert by_profile(seen)
    assert [name for file, name in read if file == "reference.parquet"] == ["measured"]


def test_a_method_that_needs_the_rows_reads_its_column(folder: Path, read: list[tuple[str, str]]) -> None:
    """Counts are not enough for it; the other columns still come from the profile."""
    request = request_in(folder, drift={"columns": [{"name": "age", "method": "t_test"}]})
    checked(request)
    read.clear()

    checked(request)

    assert [name for file, name in read if file == "reference.parquet"] == ["measured", "age"]


def test_the_log_says_what_came_from_where(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """How many columns the profile told, and which methods needed the data."""
    request = request_in(folder)
    checked(request)
    with caplog.at_level("INFO", logger="selfheal_jobs"):
        checked(request)

    (line,) = [each for each in caplog.messages if each.startswith("Reference: ")]
    assert line == "Reference: 5 columns from its profile, 1 read from the data (for wasserstein)"


@pytest.mark.parametrize("name", ["reference.csv", "reference.parquet"])
def test_a_changed_reference_is_read_again(tmp_path: Path, name: str) -> None:
    """The profile of what it was before is not used, and the next one takes its place."""
    stored(table(), tmp_path / name)
    stored(table(1), tmp_path / "current.parquet")
    request = request_in(tmp_path, reference=name)
    checked(request)
    stored(table().assign(age=1, plan="d"), tmp_path / name, LATER_NS)

    changed = checked(request)

    assert not by_profile(changed)
    assert changed.comparison is not None
    assert {each.name for each in changed.comparison.drifted} >= {"age", "plan"}
    assert len(profiles(tmp_path)) == 1
    assert by_profile(again := checked(request))
    assert told(request, again) == told(request, changed)


def test_a_parquet_file_that_takes_over_an_older_ones_size_and_time_is_told_apart(folder: Path) -> None:
    """By its footer, which holds the statistics of its columns."""
    reference = folder / "reference.parquet"
    place = Place(source=DataSource(uri=str(reference)), field="f")
    stored(pd.DataFrame({"x": [1.0, 2.0]}), reference)
    before, size = locate(place).identity(), reference.stat().st_size

    stored(pd.DataFrame({"x": [1.0, 3.0]}), reference)

    assert reference.stat().st_size == size
    assert locate(place).identity() != before


def test_what_is_asked_for_has_a_profile_of_its_own(folder: Path) -> None:
    """Two monitors of one reference do not take each other's."""
    checked(request_in(folder))
    other = request_in(folder, target="plan")

    assert not by_profile(checked(other))
    assert len(profiles(folder)) == 2
    assert by_profile(look(request_in(folder)))
    assert by_profile(look(other))


def damaged(document: bytes) -> list[bytes]:
    """Return what may lie there instead of a profile."""
    text = document.partition(b"\n")[2]
    return [
        b"",
        b"\n",
        b"\xff\xfe",
        document[:-1],
        document[: len(document) // 2],
        document.replace(b'"a"', b'"b"', 1),
        text,
        resealed(b"[]"),
        resealed(b'{"version": %d}' % VERSION),
        resealed(text.replace(b'"version":%d' % VERSION, b'"version":0', 1)),
        resealed(text.replace(b'"rows":2000', b'"rows":null', 1)),
        resealed(text.replace(b'"dtype":"<i8"', b'"dtype":"<q9"', 1)),
        resealed(text.replace(b'"schema":"', b'"schema":"AAAA', 1)),
    ]


def resealed(text: bytes) -> bytes:
    """Return a text with a checksum that fits."""
    from selfheal_jobs.reference_profile.profile import _checksum  # noqa: PLC0415

    return _checksum(text) + b"\n" + text


def test_a_damaged_profile_is_no_profile(folder: Path) -> None:
    """Torn, foreign, of another version: the reference is read, and the profile made anew."""
    request = request_in(folder)
    expected = told(request, checked(request))
    (path,) = profiles(folder)
    document = path.read_bytes()

    for each in damaged(document):
        assert each != document
        path.write_bytes(each)
        seen = checked(request)
        assert not by_profile(seen), each[:80]
        assert told(request, seen) == expected
        assert path.read_bytes() == document


def test_a_profile_that_cannot_be_read_is_no_profile(folder: Path) -> None:
    """As after somebody made a folder of its name: one line in the log, and the same verdict."""
    request = request_in(folder)
    expected = told(request, checked(request))
    (path,) = profiles(folder)
    path.unlink()
    path.mkdir()

    seen = checked(request)

    assert not by_profile(seen)
    assert told(request, seen) == expected
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        [path.name, "current.parquet", "reference.parquet"]
    )


def test_a_folder_that_cannot_be_written_to_stays_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most volumes are mounted read-only; a full one is no better. No check fails of it."""
    request = request_in(folder)
    with monkeypatch.context() as patched:
        patched.setattr(Beside, "is_writable", lambda _: False)
        expected = told(request, checked(request))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        seen = checked(request)

    assert told(request, seen) == expected
    assert sorted(each.name for each in folder.iterdir()) == ["current.parquet", "reference.parquet"]


def test_a_folder_is_writable_or_not_by_its_permissions(tmp_path: Path) -> None:
    """Looked at by a process that is no almighty root, as containers are none."""
    drop, override = 24, 1  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE; refused to all but root, who alone needs it
    look = f"from {Beside.__module__} import Beside, Path; print(Beside(Path('{tmp_path}/x')).is_writable())"

    def told() -> str:
        return subprocess.run(
            [sys.executable, "-c", look],
            check=True,
            capture_output=True,
            text=True,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(drop, override, 0, 0, 0),
        ).stdout.strip()

    assert told() == "True"
    tmp_path.chmod(0o500)
    try:
        assert told() == "False"
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    "pattern", ["reference", "reference/*", "reference/**", "reference/.*", "*/part-?.parquet"]
)
@pytest.mark.parametrize("declared", [None, "Parquet"])
def test_a_profile_is_never_taken_for_data(tmp_path: Path, pattern: str, declared: str | None) -> None:
    """Neither in a folder nor by a glob, nor where every file is said to be Parquet."""
    (tmp_path / "reference").mkdir()
    for number in range(2):
        stored(table(number), tmp_path / "reference" / f"part-{number}.parquet")
    stored(table(2), tmp_path / "current.parquet")
    sides = {
        "reference": {"uri": str(tmp_path / pattern)} | ({"format": declared} if declared else {}),
        "current": {"uri": str(tmp_path / "current.parquet")},
    }
    request = request_in(tmp_path, dataset=sides)

    before, after = checked(request), checked(request)

    if pattern == "reference/.*":
        assert before.problem is not None
        assert before.problem.reason is Reason.DATA_NOT_FOUND
        return
    assert by_profile(after)
    assert after.rows is not None
    assert after.rows.reference == 2 * ROWS
    assert told(request, before) == told(request, after)


def test_two_checks_at_once_leave_one_profile(folder: Path) -> None:
    """Whichever is last: the file is renamed into place, never written there."""
    request = request_in(folder)
    seen = [look(request) for _ in range(8)]
    threads = [threading.Thread(target=keep_profile, args=(each,)) for each in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(profiles(folder)) == 1
    assert [each.name for each in folder.glob(".*.tmp")] == []
    assert by_profile(checked(request))


def test_a_reference_that_changed_a_moment_ago_is_not_kept(folder: Path) -> None:
    """It could change again within one tick of the file system's clock, and nothing would tell."""
    (folder / "reference.parquet").touch()

    assert checked(request_in(folder)).comparison is not None
    assert profiles(folder) == []


def test_a_reference_that_changes_during_a_check_is_not_kept(folder: Path) -> None:
    """What was learnt is of the old one, or of half of each."""
    request = request_in(folder)
    seen = look(request)
    stored(table(3), folder / "reference.parquet", LATER_NS)

    keep_profile(seen)

    assert profiles(folder) == []


def test_a_reference_that_changes_after_its_profile_was_taken_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One half of the columns would be of the old one. The next check tries again."""
    request = request_in(folder)
    checked(request)
    really = FileData.open

    def replaced(self: FileData, asked: Asked) -> Any:
        opened = really(self, asked)
        stored(table(3), folder / "reference.parquet", LATER_NS)
        return opened

    monkeypatch.setattr(FileData, "open", replaced)
    problem = look(request).problem

    assert problem is not None
    assert problem.reason is Reason.DATA_UNREADABLE
    assert "changed while it was read" in str(problem)


def test_a_sampled_reference_has_no_profile(folder: Path) -> None:
    """The rows of a sample change with the slot."""
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}

    assert checked(request_in(folder, dataset=sides | {"maxRows": 1000})).comparison is not None
    assert profiles(folder) == []


def test_a_small_reference_has_no_profile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read as fast."""
    monkeypatch.setattr(opening, "LEAST_BYTES", 1 << 20)

    checked(request_in(folder))

    assert profiles(folder) == []


def test_a_check_without_a_verdict_keeps_nothing(folder: Path) -> None:
    """Not all columns were visited."""
    stored(table().drop(columns="plan"), folder / "current.parquet")

    assert checked(request_in(folder)).problem is not None
    assert profiles(folder) == []


def test_identifiers_and_measurements_are_not_in_a_profile(folder: Path) -> None:
    """Only the values of columns with few of them, and neither an address nor a path."""
    checked(request_in(folder))

    (path,) = profiles(folder)
    text = path.read_bytes().decode()
    assert "@example.com" not in text
    assert repr(float(table()["measured"].iloc[0])) not in text
    assert str(folder) not in text
    assert path.stat().st_mode & 0o007 == 0


def test_a_column_with_too_many_values_is_read_each_time(folder: Path) -> None:
    """A profile of it would be a copy of it, or a list of customers."""
    for side in ("reference", "current"):
        frame = table().drop(columns="mail")
        frame = frame.assign(few=[f"f{row % 1000}" for row in range(ROWS)], many=np.arange(ROWS) % 1001)
        stored(frame, folder / f"{side}.parquet")
    request = request_in(folder)
    checked(request)

    seen = checked(request)

    assert by_profile(seen)
    assert columns_read(seen) == {"measured", "many"}


def test_what_was_not_asked_for_at_first_is_learnt_later(folder: Path) -> None:
    """A target that no check has looked at yet joins the profile at the first one that does."""
    spec = {"task": "Classification"}
    known = request_in(folder, **spec)
    drifting = request_in(folder, signals=[{"name": "labels", "type": "TargetDrift"}], **spec)
    for request in (known, drifting):
        checked(request.replaced(task="Classification"))
    (path,) = profiles(folder)

    assert '"label":{' in path.read_bytes().decode()
    assert columns_read(look(drifting.replaced(task="Classification"))) == {"measured"}


def test_a_profile_is_read_back_as_it_was_written(folder: Path) -> None:
    """Every number to its last digit, and the columns' types."""
    seen = checked(request_in(folder))
    (path,) = profiles(folder)
    assert seen.profile_cache is not None

    profile = Profile.from_bytes(path.read_bytes(), seen.profile_cache.digest)

    assert profile.schema.equals(seen.tables[0].schema)  # type: ignore[index]
    assert Profile.from_bytes(profile.to_bytes(), profile.digest) == profile


@pytest.mark.parametrize("name", ["reference.csv", "reference.parquet"])
def test_rows_that_are_asked_for_are_read(tmp_path: Path, name: str) -> None:
    """As Evidently's report asks for some of all columns, after the check has read one."""
    stored(table(), tmp_path / name)
    stored(table(1), tmp_path / "current.parquet")
    request = request_in(tmp_path, reference=name)
    checked(request)
    seen = look(request)
    assert by_profile(seen)
    assert seen.tables is not None
    reference = seen.tables[0]

    rows = pa.Table.from_batches(reference.batches(reference.schema.names), reference.schema)

    assert rows.to_pydict() == table().to_dict("list")
    with pytest.raises(KeyError):
        reference.column("no such column")


def test_partitions_are_columns_as_any(tmp_path: Path) -> None:
    """A profile holds them, and they are not asked of the files that lack them."""
    for day in (1, 2):
        (tmp_path / "reference" / f"day={day}").mkdir(parents=True)
        stored(table(day), tmp_path / "reference" / f"day={day}" / "part.parquet")
    stored(table(3).assign(day=1), tmp_path / "current.parquet")
    request = request_in(tmp_path, reference="reference")

    before, after = checked(request), checked(request)

    assert len(profiles(tmp_path / "reference")) == 1
    assert columns_read(after) == {"measured"}
    assert told(request, after) == told(request, before)


def test_files_that_are_not_there_are_told_as_ever(tmp_path: Path) -> None:
    """By the one who lists them first."""
    problem = look(request_in(tmp_path)).problem

    assert problem is not None
    assert problem.reason is Reason.DATA_NOT_FOUND
    assert str(problem).startswith("spec.dataset.reference.uri: ")


def test_sql_has_no_identity() -> None:
    """Nothing tells whether a table has changed, short of reading it."""
    assert locate(Place(source=DataSource(uri="sql://sales"), field="f")).identity() is None


def test_a_named_pipe_in_its_place_is_no_profile(tmp_path: Path) -> None:
    """Opening it would wait for a writer, and the check with it."""
    os.mkfifo(tmp_path / ".selfheal-0.profile")
    found: list[bytes | None] = []

    reading = threading.Thread(
        target=lambda: found.append(Beside(tmp_path / ".selfheal-0.profile").read()), daemon=True
    )
    reading.start()
    reading.join(timeout=10)

    assert found == [None]


def test_the_report_says_which_profile_was_used(folder: Path) -> None:
    """Somebody else may have stored another one: then it changes, and the reference does not."""
    request = request_in(folder)

    def used() -> str | None:
        seen = checked(request)
        report = report_of(request, seen, started=request.slot, completed=request.slot)
        return report.last_check.reference_profile

    assert used() is None
    (path,) = profiles(folder)
    stored_digest = path.read_bytes()[:32].decode()
    assert [used(), used()] == [stored_digest] * 2
