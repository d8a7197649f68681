"""The ways in which a leader can end, each measured on a pair of operators."""

import asyncio
import signal
from dataclasses import dataclass
from typing import Final

from selfheal_bench.failover.pair import Pair, Replica, now

LIMIT_SECONDS: Final = 60.0
BEFORE_SECONDS: Final = 4.0
"""A leader runs undisturbed for this long, so that both replicas have seen a few renewals."""
AFTER_SECONDS: Final = 6.0
"""How long a stopped leader is observed after it resumes."""


@dataclass(frozen=True, slots=True)
class End:
    """The result for one leader."""

    seconds: float
    """From the signal to the first write of the other one."""
    writes_after: int = 0
    """The number of writes of a stopped leader after it resumed."""


async def asked_to_end(pair: Pair) -> End:
    """SIGTERM."""
    return await _replaced(pair, signal.SIGTERM)


async def killed(pair: Pair) -> End:
    """SIGKILL."""
    return await _replaced(pair, signal.SIGKILL)


async def stopped(pair: Pair) -> End:
    """SIGSTOP, and SIGCONT when the other one has taken over."""
    leader, standby = await pair.roles()
    async with pair.edits():
        await asyncio.sleep(BEFORE_SECONDS)
        begun = now()
        leader.send(signal.SIGSTOP)
        seconds = await pair.first_write(standby, begun, LIMIT_SECONDS)
        await asyncio.sleep(1)
        woken = now()
        leader.send(signal.SIGCONT)
        await asyncio.sleep(AFTER_SECONDS)
    # On a slow machine the new leader may lose the Lease again; later writes are then allowed.
    writes, again = pair.writes(leader, woken), pair.led_again(leader, woken)
    return End(seconds, sum(call.ended < again for call in writes))


async def _replaced(pair: Pair, number: signal.Signals) -> End:
    leader, standby = await pair.roles()
    async with pair.edits():
        await asyncio.sleep(BEFORE_SECONDS)
        begun = now()
        leader.send(number)
        seconds = await pair.first_write(standby, begun, LIMIT_SECONDS)
    await _begin_again(leader)
    return End(seconds)


async def _begin_again(replica: Replica) -> None:
    """Restart it; it is then the standby."""
    await asyncio.to_thread(replica.process.stop)  # if it has not ended yet
    await asyncio.to_thread(replica.process.start)
