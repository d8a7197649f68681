"""Measures the memory of an operator that starts cold, twice, among monitors with large specs."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from localcluster.processnode.apiserver import ApiServer, Document
from selfheal_bench.arena import Arena, administrator, arena, say
from selfheal_bench.errors import TooSlowError
from selfheal_bench.monitors import all_monitors, create, monitor, monitors_path, places
from selfheal_bench.parallel import for_each
from selfheal_bench.scale.figures import MEMORY_LIMIT_BYTES, MIB
from selfheal_bench.scale.size import OPTIONS, settle
from testbed.large_spec import with_all_to_the_bounds, with_much_to_read

COUNT: Final = 150
KINDS: Final[Mapping[str, Callable[[Document], Document]]] = {
    "longest parts full to the bounds of the CRD": with_all_to_the_bounds,
    "as large as a run can be given": with_much_to_read,
}
"""The first is listed and not kept; the second is kept."""
ANNOTATION: Final = {"note": "x" * 250 * 1024}
"""The API server takes 256 KiB of annotations; the operator lists them, and keeps none of them."""
_ANSWER_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStarts:
    """What two cold starts with such monitors took."""

    kind: str
    count: int
    object_bytes: int
    """Of one monitor as JSON, without managedFields."""
    peak_bytes: int
    """The most that either process ever had resident, by the kernel's count."""
    start_seconds: tuple[float, ...]
    """From the process's start to ready: without statuses, and with them."""

    @property
    def met(self) -> bool:
        """Whether the operator stayed within its limit of memory."""
        return self.peak_bytes <= MEMORY_LIMIT_BYTES

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "kind": self.kind,
            "n": self.count,
            "objectBytes": self.object_bytes,
            "residentPeakMiB": round(self.peak_bytes / MIB, 1),
            "startSeconds": [round(seconds, 2) for seconds in self.start_seconds],
            "met": self.met,
        }


async def measure_large_specs(kind: str, count: int, keep: Path | None) -> ColdStarts:
    """Start the operator twice among so many monitors with specs of that kind.

    Args:
        kind: One of `KINDS`.
        count: How many.
        keep: A folder for the audit log and the programs' logs.

    Raises:
        TooSlowError: if the operator has not answered all of them in time.
    """
    say(f"{count} monitors with specs {kind}")
    with arena(OPTIONS, keep and keep / f"large-{list(KINDS).index(kind)}") as ground:
        cluster = ground.cluster
        async with administrator(cluster.server, cluster.state.pki) as api:
            size = await _create(api, KINDS[kind], count)
            starts = [await _start(ground, api) for _ in range(2)]
    return ColdStarts(
        kind=kind,
        count=count,
        object_bytes=size,
        peak_bytes=max(peak for _, peak in starts),
        start_seconds=tuple(seconds for seconds, _ in starts),
    )


async def _create(api: ApiServer, enlarged: Callable[[Document], Document], count: int) -> int:
    async def create_at(place: tuple[str, str]) -> None:
        await create(api, monitors_path(place[0]), _large(*place, enlarged))

    await for_each("creating monitors", places(count), create_at)
    return len(json.dumps(_large("any", "any", enlarged), separators=(",", ":")))


def _large(namespace: str, name: str, enlarged: Callable[[Document], Document]) -> Document:
    document = monitor(namespace, name, schedule="0 0 1 1 *")
    metadata = document["metadata"] | {"annotations": ANNOTATION}
    return document | {"metadata": metadata, "spec": enlarged(document["spec"])}


async def _start(ground: Arena, api: ApiServer) -> tuple[float, int]:
    """Start the operator; return its seconds to ready, and its peak memory once it has nothing left to do."""
    seconds = ground.operator.start()
    over = datetime.now(UTC) + timedelta(seconds=_ANSWER_SECONDS)
    while waiting := sum(not each.get("status") for each in await all_monitors(api)):
        if datetime.now(UTC) > over:
            raise TooSlowError(f"the operator has not answered {waiting} monitors")
        await asyncio.sleep(2)
    await settle(ground)
    peak = ground.operator.usage().peak_resident_bytes
    ground.operator.stop()
    say(f"ready after {seconds:.1f} s, peak {peak / MIB:.0f} MiB")
    return seconds, peak
