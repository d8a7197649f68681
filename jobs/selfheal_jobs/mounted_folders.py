"""The folders that a run may read files from, and in which its files outlive its pod: the mounted volumes."""

import os
from collections.abc import Iterable, Iterator
from typing import Final

from selfheal_operator.api.names import ENV_DATA_PATHS

_NEVER: Final = ("/proc", "/sys", "/dev", "/run/secrets", "/var/run/secrets")
"""Kubernetes mounts the ServiceAccount's token below a volume that the spec may mount around it."""


def is_outside(path: str) -> bool:
    """Return whether a path is outside the volumes; never for a run by hand."""
    return any(outside([path]))


def outside(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths that lead out of the permitted folders.

    The operator names the folders. A run by hand, without an operator, may read any.
    """
    folders = os.environ.get(ENV_DATA_PATHS)
    if folders is None:
        return
    permitted = [os.path.realpath(folder) for folder in folders.split(":") if folder]
    for path in paths:
        real = os.path.realpath(path)
        # As it is written too: /proc/self/root is a link to the root of this container.
        is_the_systems = any(_is_below(each, _NEVER) for each in (real, os.path.normpath(path)))
        if is_the_systems or not _is_below(real, permitted):
            yield path


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
