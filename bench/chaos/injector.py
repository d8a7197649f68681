"""Has the faults of the list strike, those of each target one after another."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chaos.admin import Admin
from chaos.faults import CALL_KINDS, OPERATORS, Fault, Kind, Target
from chaos.journal import Journal
from chaos.line import FAILURES, Answer, Exchange, HungUpError, Line, Spring, Trap, WatchStream, Weather
from chaos.node import SimulatedNode
from chaos.operator_process import OperatorProcess
from chaos.stage import Stage
from chaos.users import Users

_PATIENCE: Final = 45.0
"""Seconds in which an operator that nothing ails makes the call that a fault waits for, and has a watch: the
20 that it may take to recover, on a busy machine."""
_STEPS: Final = (20, 45, 100, 250, 400)
"""Seconds of the operators' time by which a clock is stepped."""
_CLOCK_HELD: Final = 2.0
"""Seconds of real time that a clock stays wrong, beyond the fault's own."""

_WEATHER: Final = {
    Kind.THROTTLED: Weather.THROTTLED,
    Kind.UNAVAILABLE: Weather.UNAVAILABLE,
    Kind.PARTITION: Weather.PARTITION,
    Kind.BLACK_HOLE: Weather.BLACK_HOLE,
}
GONE: Final = Answer.failure(410, "Expired", "too old resource version: 1 (2)")


@dataclass(frozen=True, slots=True)
class Victim:
    """An operator and its line."""

    process: OperatorProcess
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Injector:
    """Knows how to do each fault to its target."""

    victims: Mapping[Target, Victim]
    stage: Stage
    admin: Admin
    users: Users
    node: SimulatedNode
    journal: Journal

    async def strike_all(self, faults: Sequence[Fault]) -> None:
        """Have every fault of the list strike."""
        async with asyncio.TaskGroup() as group:
            for target in Target:
                group.create_task(self._strike([fault for fault in faults if fault.target is target]))

    async def heal(self) -> None:
        """Have every operator alive and awake, with the right time."""
        for victim in self.victims.values():
            victim.process.thaw()
            victim.process.set_clock(timedelta(0))
            victim.process.start()

    async def _strike(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            await asyncio.sleep(fault.pause)
            began = time.monotonic()
            match fault.target:
                case Target.SERVER:
                    struck = await self._strike_server(fault)
                case Target.USERS:
                    struck = await self.users.act(fault)
                case Target.RUNS:
                    struck = await self.node.end_next_run(fault.kind)
                case _:
                    struck = await self._strike_operator(fault)
            self.journal.note(fault, began, struck)

    async def _strike_server(self, fault: Fault) -> str:
        if fault.kind is Kind.COMPACTION:
            return f"revision {await self.stage.compact()}"
        await asyncio.to_thread(self.stage.cluster.stop_apiserver)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(self.stage.cluster.start_apiserver)
        await self.stage.sight(self.admin)
        return "kube-apiserver"

    async def _strike_operator(self, fault: Fault) -> str:
        victim = self.victims[fault.target]
        if fault.kind in CALL_KINDS:
            return await self._strike_call(fault, victim)
        if (weather := _WEATHER.get(fault.kind)) is not None:
            await victim.line.spoil(weather, fault.seconds, FAILURES[fault.choice % len(FAILURES)])
            return fault.target
        if fault.kind.name.startswith("WATCH_"):
            return await self._strike_watch(fault, victim)
        await self._strike_process(fault, victim.process)
        return fault.target

    async def _strike_call(self, fault: Fault, victim: Victim) -> str:
        trap = Trap(fault.calls, fault.spared, self._spring(fault, victim))
        victim.line.set_trap(trap)
        while not await _within_patience(trap.caught.done):
            await self._give_up(fault, victim, f"made no call to {fault.calls}")
        call = await trap.caught
        await trap.done.wait()
        if fault.kind in (Kind.KILL_BEFORE, Kind.KILL_AFTER):
            await asyncio.sleep(fault.down)
            victim.process.start()
        return str(call)

    def _spring(self, fault: Fault, victim: Victim) -> Spring:
        """Return what becomes of the call."""

        async def spring(exchange: Exchange) -> Answer:
            match fault.kind:
                case Kind.KILL_BEFORE:
                    await victim.process.kill()
                    raise HungUpError
                case Kind.KILL_AFTER:
                    await exchange.forward()
                    await victim.process.kill()
                    raise HungUpError
                case Kind.LOST_CALL:
                    raise HungUpError
                case Kind.LATE_CALL:
                    late = asyncio.create_task(_later(exchange, fault.seconds))
                    _late_calls.add(late)
                    late.add_done_callback(_late_calls.discard)
                    raise HungUpError
                case Kind.ERROR_BEFORE:
                    return FAILURES[fault.choice % len(FAILURES)]
            answer = await exchange.forward()
            match fault.kind:
                case Kind.LOST_ANSWER:
                    raise HungUpError
                case Kind.ERROR_AFTER:
                    return FAILURES[fault.choice % len(FAILURES)]
                case _:  # SLOW_ANSWER, STALLED_ANSWER
                    await asyncio.sleep(fault.seconds)
            return answer

        return spring

    async def _strike_watch(self, fault: Fault, victim: Victim) -> str:
        stream = await self._a_watch(fault, victim)
        match fault.kind:
            case Kind.WATCH_CUT:
                stream.cut()
            case Kind.WATCH_TORN:
                stream.tear()
            case Kind.WATCH_GONE:
                await stream.say_goodbye(GONE)
            case Kind.WATCH_ERROR:
                await stream.say_goodbye(FAILURES[fault.choice % len(FAILURES)])
            case _:
                await stream.stall(fault.seconds)
        return str(stream.call)

    async def _a_watch(self, fault: Fault, victim: Victim) -> WatchStream:
        while not await _within_patience(lambda: bool(victim.line.watches)):
            await self._give_up(fault, victim, "had no watch")
        streams = sorted(victim.line.watches, key=lambda stream: stream.call.path)
        return streams[fault.choice % len(streams)]

    async def _give_up(self, fault: Fault, victim: Victim, why: str) -> None:
        """Note that an operator is not well though nothing ails it, and restart it."""
        state = "alive" if victim.process.alive else "dead"
        self.journal.complain(f"{fault.target} ({state}) {why} for {_PATIENCE:.0f} s; it was restarted")
        await victim.process.kill()
        victim.process.start()

    @staticmethod
    async def _strike_process(fault: Fault, process: OperatorProcess) -> None:
        match fault.kind:
            case Kind.FREEZE:
                process.freeze()
                await asyncio.sleep(fault.seconds)
                process.thaw()
            case Kind.CLOCK_AHEAD | Kind.CLOCK_BEHIND:
                step = timedelta(seconds=_STEPS[fault.choice % len(_STEPS)])
                process.set_clock(step if fault.kind is Kind.CLOCK_AHEAD else -step)
                await asyncio.sleep(_CLOCK_HELD + fault.seconds)
                process.set_clock(timedelta(0))
            case _:
                await (process.kill() if fault.kind is Kind.KILL else process.terminate())
                await asyncio.sleep(fault.down)
                process.start()


async def _within_patience(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


_late_calls: set[asyncio.Task[None]] = set()


async def _later(exchange: Exchange, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await exchange.forward()


__all__ = ["OPERATORS", "Injector", "Victim"]
