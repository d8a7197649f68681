"""How often the files of a reference are listed."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
from pyarrow import fs

from selfheal_jobs.check.run import look
from selfheal_jobs.reference_profile.beside import Beside
from selfheal_jobs.sources.file_store import FileStore
from selfheal_jobs.sources.types import volume
from selfheal_operator.api.reasons import Reason
from support.builders.profiled_checks import LONG_AGO_NS, by_profile, checked, profiles, request_in, stored


class Counting(fs.FSSpecHandler):  # type: ignore[misc]  # pyarrow is untyped
    """A folder of this machine that counts how often each of its folders is listed."""

    def __init__(self, after_listing: Callable[[], Any] = lambda: None) -> None:
        super().__init__(fsspec.filesystem("file"))
        self.listings: Counter[str] = Counter()
        self.after_listing = after_listing

    def get_file_info_selector(self, selector: fs.FileSelector) -> Any:
        """List a folder."""
        self.listings[Path(selector.base_dir).name] += 1
        found = super().get_file_info_selector(selector)
        self.after_listing()
        return found


def table(seed: int) -> pd.DataFrame:
    """Return a column of numbers and one of labels."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({"x": random.normal(size=500), "label": random.integers(0, 2, size=500)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference and current data of two files each."""
    for side in ("reference", "current"):
        (tmp_path / side).mkdir()
        for number in range(2):
            stored(table(number), tmp_path / side / f"part-{number}.parquet")
    return tmp_path


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The file system of every mounted path."""
    return mounted(monkeypatch, is_mounted=True)


def mounted(monkeypatch: pytest.MonkeyPatch, *, is_mounted: bool) -> Counting:
    """Put a counting file system in place of the local one, as a volume or as an object store."""
    handler = Counting()
    store = FileStore(connect=lambda place: (fs.PyFileSystem(handler), place.path), is_mounted=is_mounted)
    monkeypatch.setattr(volume, "SOURCE", store)
    return handler


def request(folder: Path) -> Any:
    """Return a check of both folders."""
    return request_in(
        folder, dataset={side: {"uri": str(folder / side)} for side in ("reference", "current")}
    )


@pytest.mark.parametrize("is_mounted", [True, False])
def test_a_reference_without_a_profile_is_listed_once(
    *, folder: Path, monkeypatch: pytest.MonkeyPatch, is_mounted: bool
) -> None:
    """On a volume that is mounted read-only, and as objects of a store."""
    counting = mounted(monkeypatch, is_mounted=is_mounted)
    monkeypatch.setattr(Beside, "is_writable", lambda _: False)

    assert checked(request(folder)).comparison is not None

    assert counting.listings == {"reference": 1, "current": 1}


def test_it_is_listed_once_more_before_a_profile_of_it_is_kept(folder: Path, counting: Counting) -> None:
    """That is what notices files that came or changed meanwhile. The next checks list it once."""
    checked(request(folder))
    assert counting.listings["reference"] == 2
    assert len(profiles(folder / "reference")) == 1

    counting.listings.clear()
    assert by_profile(checked(request(folder)))
    assert counting.listings["reference"] == 1


def test_a_file_that_changes_after_it_was_listed_is_noticed(folder: Path, counting: Counting) -> None:
    """By its time, when it has been read: the one listing is what it is held against."""
    counting.after_listing = lambda: stored(
        table(7), folder / "reference" / "part-1.parquet", LONG_AGO_NS + 1_000_000_000
    )

    problem = look(request(folder)).problem

    assert problem is not None
    assert problem.reason is Reason.DATA_UNREADABLE
    assert "part-1.parquet changed while it was read" in str(problem)
