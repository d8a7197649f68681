"""The cluster's programs are made once, whole or not at all; here they cannot be downloaded."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localcluster.binaries import cache_dir, ensure_binaries
from localcluster.errors import BuildError
from localcluster.gobuild import PROGRAMS

# Stands in for a Go toolchain: writes a file for each program it is asked for, after a moment.
FAKE_GO = """\
#!/bin/sh
[ "$1" = env ] && { echo go1.26.0; exit; }
[ "$1" = list ] && { echo runtime; exit; }
echo run >> "$RUNS"
while [ "$1" != -o ]; do shift; done
target=$2; shift 2
sleep 0.2
case $target in
  */) for package; do touch "$target${package##*/}"; done ;;
  *) touch "$target" ;;
esac
"""
BROKEN_GO = """\
#!/bin/sh
[ "$1" = env ] && { echo go1.26.0; exit; }
echo "main.go:1:1: syntax error" >&2
exit 1
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no way to the downloads, and a fake toolchain that notes in this file each build."""
    install_go(tmp_path / "bin", FAKE_GO)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def install_go(folder: Path, script: str) -> None:
    """Put a `go` into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "go").write_text(script)
    (folder / "go").chmod(0o755)


def test_programs_are_built_once(runs: Path) -> None:
    """The second time they come from the cache."""
    first = ensure_binaries(print)
    built = runs.read_text()

    assert ensure_binaries(print) == first
    assert {path.name for path in first.iterdir()} == set(PROGRAMS)
    assert runs.read_text() == built


def test_two_at_once_build_once(runs: Path) -> None:
    """Who comes second waits for the first and says so."""
    said: list[str] = []
    with ThreadPoolExecutor() as pool:
        folders = set(pool.map(lambda _: ensure_binaries(said.append), range(2)))

    assert len(folders) == 1
    assert runs.read_text().count("run") == 2  # Kubernetes and etcd, each once
    assert "another process is building; waiting for it" in said


def test_failed_build_leaves_nothing(runs: Path) -> None:
    """What the compiler said is told, and the next run starts afresh."""
    install_go(runs.parent / "bin", BROKEN_GO)

    with pytest.raises(BuildError, match=r"main\.go:1:1: syntax error"):
        ensure_binaries(print)

    assert [path.name for path in cache_dir().iterdir()] == ["build.lock"]


def test_abandoned_build_is_cleared_away(runs: Path) -> None:
    """What a killed build left behind does not pile up in the cache."""
    abandoned = cache_dir() / "building-abandoned"
    abandoned.mkdir(parents=True)

    ensure_binaries(print)

    assert runs.exists()
    assert not abandoned.exists()
