"""The cluster's programs: taken from the cache, or built into it.

A download of the official binaries between the two steps is left out on purpose, until their checksums
can be pinned here from a source other than the server that hands out the files.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.gobuild import KUBERNETES_VERSION, MODULES, PROGRAMS, build, linker_flags
from localcluster.gotoolchain import go_command

UNFINISHED = "building-"


def cache_dir() -> Path:
    """Name the folder for what is made once per user: `$XDG_CACHE_HOME/selfheal`, or `~/.cache/selfheal`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfheal"


def ensure_binaries(say: Callable[[str], None]) -> Path:
    """Return the folder that holds all programs; what is missing is built first.

    Safe to call from several processes at once: one builds, the others wait for it.
    """
    target = cache_dir() / f"kubernetes-{KUBERNETES_VERSION}-{_fingerprint()}"
    if _complete(target):
        return target
    cache_dir().mkdir(parents=True, exist_ok=True)
    with _locked(cache_dir() / "build.lock", say):
        if not _complete(target):
            _build_into(target, say)
    return target


def _build_into(target: Path, say: Callable[[str], None]) -> None:
    say(f"building Kubernetes {KUBERNETES_VERSION} and etcd from source into {target}")
    say("(once on this machine; about seven minutes on two cores, plus the download of the sources)")
    go = go_command(cache_dir(), say)
    for abandoned in cache_dir().glob(f"{UNFINISHED}*"):  # by a build that was killed; we hold the lock
        shutil.rmtree(abandoned, ignore_errors=True)
    # Built beside the target and renamed: whoever finds the folder finds it whole.
    fresh = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=cache_dir()))
    try:
        build(go, fresh, say)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in PROGRAMS)


def _fingerprint() -> str:
    """Tell builds apart by all that goes into them."""
    digest = hashlib.sha256(linker_flags().encode())
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / name).read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _locked(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
