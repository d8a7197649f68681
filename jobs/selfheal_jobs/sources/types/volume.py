"""Files on a volume mounted into the pod."""

from typing import Final

from pyarrow import fs

from selfheal_jobs.sources.file_store import FileStore

SOURCE: Final = FileStore(connect=lambda place: (fs.LocalFileSystem(), place.path), is_mounted=True)
