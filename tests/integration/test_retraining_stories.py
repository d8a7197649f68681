"""docs/retraining.md tells what its stories print: a real MLflow server, and the containers' programs."""

import subprocess
import sys
from typing import Final

import pytest

from stories.__main__ import STORIES
from support.documented import ROOT, Script, scripts

pytestmark = pytest.mark.timeout(420)
SHOWN: Final = [script for script in scripts(ROOT / "docs" / "retraining.md") if script.output]


def _name(script: Script) -> str:
    return script.commands[0].removeprefix("make retraining-stories ARGS=")


def test_every_story_is_on_the_page() -> None:
    """One that is not shown would be run for nobody."""
    assert [_name(script) for script in SHOWN] == [*STORIES]


@pytest.mark.parametrize("script", SHOWN, ids=_name)
def test_the_page_shows_what_the_command_prints(script: Script) -> None:
    """Every result, every figure and every message."""
    command = [sys.executable, "-m", "stories", _name(script)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip().splitlines() == script.output.splitlines()
