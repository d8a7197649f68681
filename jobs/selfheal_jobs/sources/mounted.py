"""Which files a run may read: those on the volumes that the spec mounts into its pod.

The root file system of a container also has the token of its ServiceAccount, and the environment of its
process with the values of Secrets. The author of a spec may have no right to see them, and a run shows the
names of columns.
"""

import os
from collections.abc import Iterable, Iterator
from typing import Final

from selfheal_jobs.sources.place import Place
from selfheal_operator.api.names import ENV_DATA_PATHS

_NEVER: Final = ("/proc", "/sys", "/dev", "/run/secrets", "/var/run/secrets")
"""Kubernetes mounts the ServiceAccount's token below a volume that the spec may mount around it."""


def require_mounted(place: Place, path: str) -> None:
    """Raise DataError for a path outside the volumes (DataNotFound), whether or not there is something.

    The operator names the folders. A run by hand, without an operator, reads any file.
    """
    if any(_outside([path])):
        raise place.not_found("no volume is mounted")


def require_no_way_out(place: Place, paths: Iterable[str]) -> None:
    """Raise DataError (DataAccessDenied) if a listed file is a link to one outside the volumes."""
    if any(_outside(paths)):
        raise place.forbidden("a symbolic link leads out of the mounted volumes")


def is_outside(path: str) -> bool:
    """Return whether a path is outside the volumes; never for a run by hand."""
    return any(_outside([path]))


def _outside(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths that lead out of the permitted folders."""
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
