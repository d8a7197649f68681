"""A check of ours as it was at another commit, from a work tree that is gone afterwards."""

import runpy
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from selfheal_bench.check.ours import Verdict
from selfheal_bench.errors import BenchError

BEFORE: Final = "before"


@contextmanager
def tree_of(revision: str, folder: Path) -> Iterator[Path]:
    """Check a commit out into a folder of its own for the length of the block.

    Raises:
        BenchError: There is no such commit.
    """
    target = folder / BEFORE
    _git("worktree", "add", "--quiet", "--detach", str(target), revision)
    try:
        yield target
    finally:
        _git("worktree", "remove", "--force", str(target))


def request_maker(tree: Path) -> Any:
    """Return that commit's own `check_request`: the request may have had another form."""
    return runpy.run_path(str(tree / "bench" / "selfheal_bench" / "check_request.py"))["check_request"]


def packages(tree: Path) -> str:
    """Return the PYTHONPATH by which its packages are found before the installed ones."""
    return f"{tree / 'operator'}:{tree / 'jobs'}"


def differences(ours: Verdict, before: Verdict) -> list[str]:
    """Return the fields and metrics that are not equal to the last bit."""
    pairs = {"": (ours.check, before.check), "metric ": (ours.metrics, before.metrics)}
    return [f"{kind}{name}" for kind, pair in pairs.items() for name in _unequal(*pair)]


def _unequal(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _git(*arguments: str) -> None:
    try:
        subprocess.run(
            ["git", "-C", str(Path(__file__).parent), *arguments], check=True, capture_output=True, text=True
        )
    except subprocess.CalledProcessError as error:
        raise BenchError(f"git {arguments[0]} {arguments[1]}: {' '.join(error.stderr.split())}") from error
