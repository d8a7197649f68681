"""Processes are started, recognised and ended, and strangers are left alone."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from localcluster import childprocess
from localcluster.childprocess import ProcessRecord


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Path]:
    """The record of a process that runs for as long as the test."""
    path = tmp_path / "record.json"
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    childprocess.start(sleep, record=path, log=tmp_path / "log", env={"MARK": str(tmp_path)})
    yield path
    childprocess.stop(path, grace_seconds=0)


def read(path: Path) -> ProcessRecord:
    """Read a record that must be there."""
    found = ProcessRecord.read(path)
    assert found
    return found


def ends(path: Path) -> bool:
    """Say whether the recorded process ends soon; end it if it does not."""
    try:
        return childprocess.wait_until(lambda: not read(path).running, timeout_seconds=5)
    finally:
        childprocess.stop(path, grace_seconds=0)


def test_started_process_runs_until_it_is_stopped(record: Path) -> None:
    """A process is known by its record while it runs; stopping it removes the record."""
    process = read(record)
    assert process.running

    childprocess.stop(record, grace_seconds=5)

    assert not process.running
    assert not record.exists()


def test_recycled_process_id_is_not_ours(record: Path) -> None:
    """A process with the recorded number that began at another moment is neither running nor killed."""
    ours = read(record)
    recycled = replace(ours, start_ticks=ours.start_ticks - 1)
    recycled.write(record)

    childprocess.stop(record, grace_seconds=0)

    assert not recycled.running
    assert ours.running
    ours.write(record)


def test_kill_marked_hits_only_the_marked(record: Path, tmp_path: Path) -> None:
    """Only processes whose environment carries exactly the mark are killed."""
    process = read(record)

    childprocess.kill_marked("MARK", f"{tmp_path}/longer")
    assert process.running
    childprocess.kill_marked("MARK", str(tmp_path))

    assert childprocess.wait_until(lambda: not process.running, timeout_seconds=5)


@pytest.mark.parametrize("content", [None, "", "{", '{"pid": 1}'])
def test_unreadable_record_is_no_process(tmp_path: Path, content: str | None) -> None:
    """A record that is missing or was half written stands for nothing."""
    path = tmp_path / "record.json"
    if content is not None:
        path.write_text(content)

    assert ProcessRecord.read(path) is None


def test_own_process_is_described() -> None:
    """The moment of the start is read from the right field, whatever the program is called."""
    assert ProcessRecord.of(os.getpid()).running


def test_kill_marked_hits_a_process_in_the_middle_of_its_exec(tmp_path: Path) -> None:
    """Its environment is empty at that moment: it is asked again."""
    for number in range(20):
        path, mark = tmp_path / f"{number}.json", f"{tmp_path}/{number}"
        childprocess.start(["/bin/sleep", "600"], record=path, log=tmp_path / "log", env={"MARK": mark})

        childprocess.kill_marked("MARK", mark)

        assert ends(path)
