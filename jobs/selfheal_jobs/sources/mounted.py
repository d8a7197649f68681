"""Which files a run may read: those on the volumes that the spec mounts into its pod.

The root file system of a container also has the token of its ServiceAccount, and the environment of its
process with the values of Secrets. The author of a spec may have no right to see them, and a run shows the
names of columns.
"""

from collections.abc import Iterable

from selfheal_jobs.mounted_folders import is_outside, outside
from selfheal_jobs.sources.place import Place


def require_mounted(place: Place, path: str) -> None:
    """Raise DataError for a path outside the volumes (DataNotFound), whether or not there is something."""
    if is_outside(path):
        raise place.not_found("no volume is mounted")


def require_no_way_out(place: Place, paths: Iterable[str]) -> None:
    """Raise DataError (DataAccessDenied) if a listed file is a link to one outside the volumes."""
    if any(outside(paths)):
        raise place.forbidden("a symbolic link leads out of the mounted volumes")
