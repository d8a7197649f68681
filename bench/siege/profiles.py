"""Profiles of a reference that somebody else has written into the folder of the data."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from siege.attack import Attack, Seen, UntriedError
from siege.ground import SECRET, Ground
from siege.runs import End, check, new_name
from siege.stranger import stranger
from siege.tables import plain_spec

_WRITER: Final = "whoever writes to the reference's folder"
_ROWS: Final = 60_000
"""So that the reference takes a megabyte: smaller ones have no profile."""
_LONG_AGO: Final = 1_700_000_000.0
"""What has just been written may still change, and has no profile."""
Document = dict[str, Any]


def _profiled(ground: Ground) -> tuple[Path, bytes]:
    """Check a reference twice: the second check uses the profile that the first has left."""
    folder = ground.data / "profiled"
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    for side, rows in (("reference", _ROWS), ("current", 400)):
        made = pd.DataFrame({"age": 18 + rng.integers(0, 72, rows), "plan": rng.choice(["a", "b"], rows)})
        made = made.assign(other=rng.normal(size=rows), more=rng.normal(size=rows))
        path = folder / f"{side}.parquet"
        made.assign(label=rng.integers(0, 2, rows)).to_parquet(path, index=False)
        os.utime(path, (_LONG_AGO, _LONG_AGO))
    _checked(ground)
    found = list(folder.glob(".selfheal-*.profile"))
    if len(found) != 1 or not _is_used(again := _checked(ground)):
        raise UntriedError(f"a usual profile is not used: {found} {again.said if found else ''}")
    return found[0], found[0].read_bytes()


def _checked(ground: Ground) -> End:
    folder = ground.data / "profiled"
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}
    return check(ground, plain_spec(ground, **sides), mlflow=stranger(ground).uri)


def _is_used(end: End) -> bool:
    return "referenceProfile" in end.outcome


def _forged(change: Callable[[Document], object]) -> Callable[[bytes], bytes]:
    """Return what changes a document, and computes its checksum anew, as anybody can."""

    def made(document: bytes) -> bytes:
        found: Document = json.loads(document.partition(b"\n")[2])
        change(found)
        return signed(json.dumps(found).encode())

    return made


def signed(text: bytes) -> bytes:
    """Return a text with its checksum."""
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


def _stores(name: str, make: Callable[[bytes], bytes]) -> Attack:
    """Return the attack of a document in place of the profile: the reference is read instead."""

    def do(ground: Ground) -> Seen:
        path, usual = ground.once("profile", _profiled)
        path.write_bytes(make(usual))
        end = _checked(ground)
        path.write_bytes(usual)
        return _seen(end)

    return Attack(name, 5, _WRITER, do, "not used")


def _seen(end: End) -> Seen:
    used, good = _is_used(end), end.outcome.get("result") == "NoDrift" and end.code == 0
    got = f"{'used' if used else 'not used'}; {end.said[:200]!a}"
    return Seen(got, succeeded=used or not good or SECRET in end.shown)


def _linked(ground: Ground) -> Seen:
    """Put a link in place of the profile: the next one must not be written to where it leads."""
    path, usual = ground.once("profile", _profiled)
    foreign = ground.folder / new_name("foreign")
    foreign.write_bytes(b"foreign")
    path.unlink()
    path.symlink_to(foreign)
    end = _checked(ground)
    changed = foreign.read_bytes() != b"foreign"
    path.unlink()
    path.write_bytes(usual)
    seen = _seen(end)
    return Seen(
        f"{'foreign file changed; ' if changed else ''}{seen.got}", succeeded=changed or seen.succeeded
    )


def _column(name: str, **members: Any) -> Callable[[Document], object]:
    return lambda found: found["columns"][name].update(members)


ATTACKS: Final = (
    _stores("counts of 10^12", _forged(_column("age", counts=[10**12] * 72))),
    _stores("more rows than there can be", _forged(lambda found: found.update(rows=10**12))),
    _stores("counts of more rows than there are", _forged(_column("plan", counts=[_ROWS, _ROWS]))),
    _stores("negative counts", _forged(_column("plan", counts=[_ROWS + 5, -5]))),
    _stores("a type that takes 100 MB a value", _forged(_column("age", dtype="<U100000000"))),
    _stores("a profile of other data", _forged(lambda found: found.update(digest="0" * 64))),
    _stores("ranks beyond all rows", _forged(lambda found: found.update(ranks={"age": [10**12] * 10}))),
    _stores("a profile of 17 MB", lambda usual: usual + b" " * (17 << 20)),
    _stores("a profile that nests 100,000 deep", lambda _: signed(b"[" * 100_000 + b"]" * 100_000)),
    _stores("a profile without its checksum", lambda usual: b"0" * 64 + usual[64:]),
    Attack("a link in place of the profile", 5, _WRITER, _linked, "not used"),
)
