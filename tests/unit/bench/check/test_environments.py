import subprocess
import sys
from pathlib import Path

import pytest

from selfheal_bench.check.contenders import CONTENDERS
from selfheal_bench.check.environments import NotInstalledError, python_for


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "selfheal"


def test_what_the_project_has_itself_is_not_installed_again(cache):
    """Evidently, pandas and scipy are there, in the versions that a check uses."""
    assert python_for(CONTENDERS["evidently"], print) == Path(sys.executable)
    assert not cache.exists()


def test_what_cannot_be_installed_says_why_and_leaves_nothing_behind(cache, monkeypatch):
    """Half an environment would be taken for a whole one the next time."""

    def fail(command, **_):
        Path(command[-2]).joinpath("bin").mkdir(parents=True)
        raise subprocess.CalledProcessError(1, command, stderr="No solution found:\n  no such version")

    monkeypatch.setattr(subprocess, "run", fail)

    with pytest.raises(NotInstalledError, match="No solution found: no such version"):
        python_for(CONTENDERS["frouros"], lambda _: None)
    assert [path.name for path in cache.iterdir()] == ["build.lock"]


def test_an_environment_is_made_once(cache, monkeypatch):
    """And holds what is pinned, the tool and the libraries below it."""
    commands = []

    def install(command, **_):
        commands.append(command)
        if command[1] == "venv":
            python = Path(command[-2]) / "bin" / "python"
            python.parent.mkdir()
            python.touch()

    monkeypatch.setattr(subprocess, "run", install)

    first = python_for(CONTENDERS["frouros"], lambda _: None)
    again = python_for(CONTENDERS["frouros"], lambda _: None)

    assert first == again
    assert first.parents[2] == cache
    assert [command[1] for command in commands] == ["venv", "pip"]
    assert set(CONTENDERS["frouros"].packages) <= set(commands[1])
