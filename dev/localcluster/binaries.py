"""The cluster's programs, from the cache. Missing ones are downloaded, or built if that fails."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from localcluster.downloads import Pin, download_into
from localcluster.errors import DownloadError
from localcluster.gobuild import KUBERNETES_VERSION, MODULES, PROGRAMS, build, linker_flags
from localcluster.gotoolchain import go_command

UNFINISHED = "building-"

Say = Callable[[str], None]


def cache_dir() -> Path:
    """Return the per-user cache folder: `$XDG_CACHE_HOME/selfheal`, or `~/.cache/selfheal`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfheal"


def ensure_binaries(say: Say) -> Path:
    """Return the folder with all programs, after downloading or building the missing ones.

    Safe to call from several processes at once: one builds, the others wait for it.
    """
    return ensure(_target(), PROGRAMS, lambda folder: download_or_build(folder, say, builder=_build), say)


def ensure(target: Path, programs: Sequence[str], fill: Callable[[Path], None], say: Say) -> Path:
    """Return a folder of the cache with all programs; if they are missing, create it with `fill`.

    Safe to call from several processes at once: one fills, the others wait for it.
    """
    if _complete(target, programs):
        return target
    cache_dir().mkdir(parents=True, exist_ok=True)
    with _locked(cache_dir() / "build.lock", say):
        if not _complete(target, programs):
            _fill(target, fill)
    return target


def download_or_build(
    folder: Path, say: Say, *, builder: Callable[[Path, Say], None], pins: Sequence[Pin] | None = None
) -> None:
    """Download the official programs into an empty folder; if that fails, build them there."""
    try:
        download_into(folder, say, pins)
    except DownloadError as error:
        say(f"the official programs cannot be downloaded ({error}); building them from source")
        builder(folder, say)


def _target() -> Path:
    return cache_dir() / f"kubernetes-{KUBERNETES_VERSION}-{_fingerprint()}"


def _fill(target: Path, fill: Callable[[Path], None]) -> None:
    for abandoned in cache_dir().glob(f"{UNFINISHED}*"):  # by a build that was killed; we hold the lock
        shutil.rmtree(abandoned, ignore_errors=True)
    # Filled beside the target and then renamed, so that the target is always complete.
    fresh = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=cache_dir()))
    try:
        fill(fresh)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _build(folder: Path, say: Say) -> None:
    say(f"building Kubernetes {KUBERNETES_VERSION} and etcd from source into {_target()}")
    say("(once on this machine; about ten minutes on two cores, plus the download of the sources)")
    build(go_command(cache_dir(), say), folder, say)


def _complete(folder: Path, programs: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in programs)


def _fingerprint() -> str:
    """Return a hash of everything that a build depends on."""
    digest = hashlib.sha256(linker_flags().encode())
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / name).read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
