"""Profiles that somebody else has written: with a valid checksum, and numbers that no reference has."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.check.run import look
from selfheal_jobs.reference_profile.kept_column import MOST_LETTERS, MOST_VALUES
from selfheal_jobs.reference_profile.profile import ForeignProfileError, Profile
from selfheal_operator.api.request import RunRequest
from support.builders.profiled_checks import by_profile, checked, profiles, request_in, stored, told

ROWS = 500


@pytest.fixture
def request_(tmp_path: Path) -> RunRequest:
    """A request for data that has a profile."""
    random = np.random.default_rng(0)
    for side in ("reference", "current"):
        frame = pd.DataFrame({"age": 18 + np.arange(ROWS) % 72, "plan": random.choice(["a", "b"], ROWS)})
        frame["paid"] = random.choice([True, False], ROWS)
        frame["label"] = random.integers(0, 2, ROWS)
        stored(frame, tmp_path / f"{side}.parquet")
    request = request_in(tmp_path)
    checked(request)
    return request


def forge(folder: Path, path: str, value: Any) -> bytes:
    """Set a member of the profile's document, by its path, and write it with its checksum."""
    (file,) = profiles(folder)
    document = json.loads(file.read_bytes().partition(b"\n")[2])
    place = document
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    place[last] = value
    text = json.dumps(document).encode()
    forged = hashlib.sha256(text).hexdigest().encode() + b"\n" + text
    file.write_bytes(forged)
    return forged


_FORGED: tuple[tuple[str, Any], ...] = (
    ("rows", -1),
    ("rows", 10**12),
    ("rows", True),
    ("rows", "500"),
    ("columns.age.counts", [10**12] * 72),
    ("columns.plan.counts", [ROWS, 1]),
    ("columns.plan.counts", [1, True]),
    ("columns.plan.counts", [1, -1]),
    ("columns.plan.counts", [1]),
    ("columns.age.values", [["a"] * 72]),
    ("columns.plan.values", ["a", "a"]),
    ("columns.plan.values", ["a", 7]),
    ("columns.paid.values", ["a", "b"]),
    ("columns.age.dtype", "|O"),
    ("columns.age.dtype", "<U100000000"),
    ("columns.age.dtype", "|V100000000"),
    ("columns.age.dtype", "<c16"),
    ("columns.age.deviation", "1"),
    ("columns.age.whole", "yes"),
    ("columns.elsewhere", None),
    ("offered", ["x"] * 100_001),
    ("ranks.age", [0] * 1_000_000),
    ("ranks.age", [0.5]),
    ("ranks.age", [10**12] * 10),
    ("ranks.elsewhere", [0]),
    ("schema", "AAAA"),
)


@pytest.mark.parametrize(("path", "value"), _FORGED, ids=lambda each: str(each)[:30])
def test_a_profile_with_impossible_numbers_is_not_used(
    tmp_path: Path, request_: RunRequest, path: str, value: Any
) -> None:
    """The reference is read instead, and the verdict is that of the data."""
    before = told(request_, look(request_))
    forged = forge(tmp_path, path, value)
    digest = json.loads(forged.partition(b"\n")[2])["digest"]

    with pytest.raises(ForeignProfileError):
        Profile.from_bytes(forged, digest, most_rows=1_000_000)
    seen = look(request_)

    assert not by_profile(seen)
    assert told(request_, seen) == before


def test_a_column_has_no_more_values_than_selfheal_keeps(tmp_path: Path, request_: RunRequest) -> None:
    """As many as it keeps are accepted, and one more is not."""
    (file,) = profiles(tmp_path)
    column = json.loads(file.read_bytes().partition(b"\n")[2])["columns"]["plan"]
    at_most = [f"v{number}" for number in range(MOST_VALUES)]

    def accepted(values: list[str]) -> bool:
        forged = forge(tmp_path, "columns.plan", column | {"values": values, "counts": [1] * len(values)})
        forged = forge(tmp_path, "rows", 2_000)
        try:
            Profile.from_bytes(forged, json.loads(forged.partition(b"\n")[2])["digest"], most_rows=2_000)
        except ForeignProfileError:
            return False
        return True

    assert request_.spec.target == "label"
    assert accepted(at_most)
    assert not accepted([*at_most, "one more"])
    assert accepted(["x" * MOST_LETTERS])
    assert not accepted(["x" * (MOST_LETTERS + 1)])


def test_a_profile_has_no_more_rows_than_the_run_may_read(tmp_path: Path, request_: RunRequest) -> None:
    """A larger reference is sampled, and a sample has no profile."""
    (file,) = profiles(tmp_path)
    document = file.read_bytes()
    digest = json.loads(document.partition(b"\n")[2])["digest"]

    assert Profile.from_bytes(document, digest, most_rows=ROWS).rows == ROWS
    with pytest.raises(ForeignProfileError, match="more rows"):
        Profile.from_bytes(document, digest, most_rows=ROWS - 1)
    assert request_.spec.dataset.max_rows == 1_000_000
