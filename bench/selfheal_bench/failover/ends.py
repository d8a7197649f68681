"""The ways in which a leader ends, each measured once on a pair of operators."""

import asyncio
import signal
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from selfheal_bench.failover.pair import Pair, Replica, now

LIMIT_SECONDS: Final = 60.0
BEFORE_SECONDS: Final = 4.0
"""A leader is left alone for so long before, so that both have seen a few renewals."""
AFTER_SECONDS: Final = 6.0
"""A stopped leader is watched for so long after it wakes."""


@dataclass(frozen=True, slots=True)
class End:
    """What became of one leader."""

    seconds: float
    """From the signal to the first write of the other one."""
    writes_after: int = 0
    """What a leader that was stopped has written after it woke."""


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
        await pair.first_write(standby, woken + timedelta(seconds=AFTER_SECONDS - 2), LIMIT_SECONDS)
    return End(seconds, len(pair.writes(leader, woken)))


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
    """Start it: it is the standby then."""
    await asyncio.to_thread(replica.process.stop)  # if it has not ended yet
    await asyncio.to_thread(replica.process.start)
