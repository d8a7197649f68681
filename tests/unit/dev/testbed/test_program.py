"""Programs beside the demo: real ones."""

import sys
from pathlib import Path

import pytest

from testbed.errors import ProgramFailedError
from testbed.program import Program, answers, free_port
from testbed.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Workspace:
    """An empty demo folder."""
    made = Workspace(tmp_path)
    made.create()
    return made


def test_a_program_that_dies_shows_the_end_of_its_log(folder: Workspace) -> None:
    """Nobody has to look for the log to learn why, and nobody waits for the deadline."""
    program = Program("server", folder)
    program.start([sys.executable, "-c", "print('no such database'); raise SystemExit(1)"], {})

    with pytest.raises(ProgramFailedError, match=r"the server has ended.*\n.*no such database"):
        program.wait(f"http://127.0.0.1:{free_port()}/health", timeout_seconds=30)


def test_a_program_is_waited_for_and_ended(folder: Workspace, tmp_path: Path) -> None:
    """It answers after the wait, and not after the stop."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    program = Program("server", folder)
    command = [
        sys.executable,
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        "--directory",
        str(tmp_path),
    ]
    program.start(command, {})
    try:
        program.wait(url, timeout_seconds=30)
    finally:
        program.stop()

    assert not program.running
    assert not answers(url)
