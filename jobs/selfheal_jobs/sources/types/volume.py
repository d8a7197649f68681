"""Files on a volume mounted into the pod."""

from typing import Final

from pyarrow import fs

from selfheal_jobs.sources.file_store import FileStore
from selfheal_jobs.sources.listing import root_of
from selfheal_jobs.sources.mounted import require_mounted
from selfheal_jobs.sources.place import Place


def _connect(place: Place) -> tuple[fs.FileSystem, str]:
    require_mounted(place, root_of(place.path))
    return fs.LocalFileSystem(), place.path


SOURCE: Final = FileStore(connect=_connect, is_mounted=True)
