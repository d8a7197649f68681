import subprocess
import sys
from pathlib import Path

import pytest

from selfheal_bench.check.before import differences, packages, request_maker, tree_of
from selfheal_bench.check.ours import OurCheck, Verdict
from selfheal_bench.check.stub import Stub
from selfheal_bench.check.tables import SIZES, Tables
from selfheal_bench.errors import BenchError

TABLES = Tables(size=SIZES["S"], reference=Path("reference"), current=Path("current"))


def verdict(result="NoDrift", **metrics):
    """Return what a check has found."""
    return Verdict(check={"result": result}, metrics=metrics)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (verdict(n0=0.25), []),
        (verdict(n0=0.25 + 2**-54), ["metric n0"]),
        (verdict(), ["metric n0"]),
        (verdict("Drift", n0=0.25, n1=0.5), ["result", "metric n1"]),
    ],
)
def test_verdicts_are_compared_to_the_last_bit(before, expected):
    """A score that only one of them has is a difference too."""
    assert differences(verdict(n0=0.25), before) == expected


def test_what_runs_is_the_other_commits_and_not_the_installed_one():
    """Its packages come first on the path of the process that is measured."""
    servers = Stub(kubeconfig=Path("kubeconfig"), mlflow="http://mlflow")
    check = OurCheck(servers=servers, folder=Path(), packages=packages(Path("/tree")))

    assert check.environment(TABLES)["PYTHONPATH"] == "/tree/operator:/tree/jobs"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Give a repository with one commit, and let the benchmark take it for its own."""
    source = tmp_path / "bench" / "selfheal_bench" / "check_request.py"
    source.parent.mkdir(parents=True)
    source.write_text("def check_request(reference, current, *, mlflow): return {'old': mlflow}\n")
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(sys.modules[tree_of.__module__], "__file__", str(source))
    return tmp_path


def test_the_tree_of_a_commit_is_there_for_the_block_and_gone_after_it(repository, tmp_path_factory):
    """Its request is written in the form that it reads, and git forgets the tree."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with tree_of("HEAD", folder) as tree:
        assert request_maker(tree)("a", "b", mlflow="c") == {"old": "c"}

    listed = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], check=True, capture_output=True, text=True
    )
    assert not tree.exists()
    assert len(listed.stdout.splitlines()) == 1


def test_a_commit_that_is_not_there_ends_the_benchmark(repository, tmp_path_factory):
    """Before anything is measured, with git's own sentence."""
    with (
        pytest.raises(BenchError, match="no-such-commit"),
        tree_of("no-such-commit", tmp_path_factory.mktemp("elsewhere")),
    ):
        pass
