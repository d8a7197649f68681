"""The identity of files is made of their listing and of their Parquet footers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from selfheal_jobs.sources.identity import identity_of_files
from selfheal_jobs.sources.listing import DataFile
from selfheal_jobs.sources.place import Place
from support.builders.run_requests import run_request


@dataclass
class _Recorder:
    """Files of this machine; keeps how many bytes each read asks for."""

    asked: list[int] = field(default_factory=list)

    @contextmanager
    def open_input_file(self, path: str) -> Iterator[Any]:
        with fs.LocalFileSystem().open_input_file(path) as content:
            self._content = content
            yield self

    def read_at(self, count: int, offset: int) -> bytes:
        self.asked.append(count)
        return bytes(self._content.read_at(count, offset))


def test_no_more_is_read_of_a_footer_than_the_file_has(tmp_path: Path) -> None:
    """A damaged file claims a footer of 4 GiB: so much memory was reserved before the read failed."""
    path = tmp_path / "current.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0]}), path)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-8] + b"\xff\xff\xff\xffPAR1")
    recorder = _Recorder()
    file = DataFile(path=str(path), size=size, modified_ns=1)
    place = Place.of_current(run_request(reference="/data/reference.parquet", current=path).spec)

    identity_of_files(recorder, str(path), [file], place, on_volume=True)

    assert max(recorder.asked) <= size
