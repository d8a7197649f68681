"""Injects the faults of the plan, in sequence for each target."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import aiohttp

from chaos.admin import Admin
from chaos.faults import CALL_KINDS, Fault, Kind, Target
from chaos.forger import Forger
from chaos.journal import Journal
from chaos.node import SimulatedNode
from chaos.operator_process import OperatorProcess
from chaos.phase import Phase
from chaos.registry import SimulatedRegistry
from chaos.testbed import Testbed
from chaos.users import Users
from testbed.fault_proxy import (
    FAILURES,
    Answer,
    Exchange,
    HungUpError,
    NetworkFault,
    Proxy,
    Trap,
    WatchStream,
)

_PATIENCE: Final = 45.0
"""Seconds within which a healthy operator sends the call that a fault waits for, and has a watch: the 20 that
recovery may take, and a margin for a busy machine."""
_STEPS: Final = (20, 45, 100, 250, 400)
"""Seconds of the operators' time by which a clock is stepped."""
_CLOCK_HELD: Final = 2.0
"""Seconds of real time for which a clock stays wrong, in addition to the fault's duration."""

_NETWORK_FAULTS: Final = {
    Kind.THROTTLED: NetworkFault.THROTTLED,
    Kind.UNAVAILABLE: NetworkFault.UNAVAILABLE,
    Kind.PARTITION: NetworkFault.PARTITION,
    Kind.BLACK_HOLE: NetworkFault.BLACK_HOLE,
}
GONE: Final = Answer.failure(410, "Expired", "too old resource version: 1 (2)")


@dataclass(frozen=True, slots=True)
class OperatorTarget:
    """An operator and its proxy."""

    process: OperatorProcess
    proxy: Proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Injector:
    """Injects each kind of fault into its target."""

    targets: Mapping[Target, OperatorTarget]
    testbed: Testbed
    admin: Admin
    users: Users
    forger: Forger
    node: SimulatedNode
    registry: SimulatedRegistry
    journal: Journal
    phase: Phase
    later: set[asyncio.Task[None]] = field(default_factory=set)

    async def strike_all(self, faults: Sequence[Fault]) -> None:
        """Inject every fault of the plan."""
        async with asyncio.TaskGroup() as group:
            for target in Target:
                group.create_task(self._strike([fault for fault in faults if fault.target is target]))

    async def heal(self) -> None:
        """Start and resume every operator, and correct its clock."""
        await asyncio.gather(*self.later)
        for name, target in self.targets.items():
            target.process.thaw()
            target.process.set_clock(timedelta(0))
            target.process.start(self.phase.settings_of(name))

    async def bow_out(self) -> None:
        """Stop every operator gracefully."""
        await asyncio.gather(*(target.process.terminate() for target in self.targets.values()))

    async def _strike(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            await asyncio.sleep(fault.pause)
            began = time.monotonic()
            match fault.target:
                case Target.SERVER:
                    struck = await self._strike_server(fault)
                case Target.USERS if fault.kind in (Kind.FORGED_STATUS, Kind.POISON):
                    struck = await self.forger.act(fault)
                case Target.USERS if fault.kind is Kind.ALIAS_MOVED:
                    model = self.users.monitors[fault.choice % len(self.users.monitors)].model
                    struck = self.registry.move_by_hand(model, fault.choice // 7)
                case Target.MLFLOW if fault.kind is Kind.MLFLOW_AWAY:
                    self.registry.go_away(fault.seconds)
                    struck = f"for {fault.seconds} s"
                case Target.MLFLOW:
                    struck = await self.node.strike_next_promotion(fault)
                case Target.USERS:
                    struck = await self.users.act(fault)
                case Target.RUNS:
                    struck = await self.node.end_next_run(fault.kind)
                case _:
                    struck = await self._strike_operator(fault)
            self.journal.note(fault, began, struck)

    async def _strike_server(self, fault: Fault) -> str:
        if fault.kind is Kind.COMPACTION:
            return f"revision {await self.testbed.compact()}"
        async with self.forger.undisturbed:
            await asyncio.to_thread(self.testbed.cluster.stop_apiserver)
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(self.testbed.cluster.start_apiserver)
        await self.testbed.sight(self.admin)
        return "kube-apiserver"

    async def _strike_operator(self, fault: Fault) -> str:
        if fault.kind in CALL_KINDS:
            return await self._strike_call(fault)
        name, target = self._target_of(fault)
        if (network_fault := _NETWORK_FAULTS.get(fault.kind)) is not None:
            await target.proxy.inject(network_fault, fault.seconds, FAILURES[fault.choice % len(FAILURES)])
        elif fault.kind.name.startswith("WATCH_"):
            return f"{name}: {await self._strike_watch(fault, target)}"
        else:
            await self._strike_process(fault, target.process)
        return name

    def _target_of(self, fault: Fault) -> tuple[str, OperatorTarget]:
        """Return the fault's target; with a leader, two thirds of the faults target it."""
        name = fault.target
        if self.phase.elects and fault.choice % 3:
            name = max(self.targets, key=lambda target: self.targets[target].proxy.worked)
        return name, self.targets[name]

    async def _strike_call(self, fault: Fault) -> str:
        """Inject a fault into the next matching call of its operator, or of any operator if one leads."""
        names = list(self.targets) if self.phase.elects else [fault.target]
        trap = Trap(fault.calls, fault.spared, lambda exchange: self._spring(fault, exchange))
        for name in names:
            self.targets[name].proxy.set_trap(trap)
        while not await _within_patience(trap.caught.done):
            for name in names:
                await self._give_up(name, f"made no call to {fault.calls}")
        return str(await trap.caught)

    async def _spring(self, fault: Fault, exchange: Exchange) -> Answer:
        """Apply the fault to the call."""
        name = next(name for name, target in self.targets.items() if target.proxy is exchange.proxy)
        failure = FAILURES[fault.choice % len(FAILURES)]
        match fault.kind:
            case Kind.KILL_BEFORE:
                await self._restart(name, fault.down)
                raise HungUpError
            case Kind.LOST_CALL:
                raise HungUpError
            case Kind.LATE_CALL:
                self._keep(_later(exchange, fault.seconds))
                raise HungUpError
            case Kind.ERROR_BEFORE:
                return failure
        answer = await exchange.forward()
        match fault.kind:
            case Kind.KILL_AFTER:
                await self._restart(name, fault.down)
                raise HungUpError
            case Kind.LOST_ANSWER:
                raise HungUpError
            case Kind.ERROR_AFTER:
                return failure
            case _:  # SLOW_ANSWER, STALLED_ANSWER
                await asyncio.sleep(fault.seconds)
        return answer

    async def _restart(self, name: Target, down: float) -> None:
        """Kill an operator at once, and restart it later."""
        process = self.targets[name].process
        await process.kill()

        async def start() -> None:
            await asyncio.sleep(down)
            process.start()

        self._keep(start())

    def _keep(self, later: Coroutine[None, None, None]) -> None:
        """Run a task later, independently of the fault that scheduled it."""
        task = asyncio.create_task(later)
        self.later.add(task)
        task.add_done_callback(self.later.discard)

    async def _strike_watch(self, fault: Fault, target: OperatorTarget) -> str:
        stream = await self._a_watch(fault, target)
        match fault.kind:
            case Kind.WATCH_CUT:
                stream.cut()
            case Kind.WATCH_TORN:
                stream.tear()
            case Kind.WATCH_GONE:
                await stream.end_with_error(GONE)
            case Kind.WATCH_ERROR:
                await stream.end_with_error(FAILURES[fault.choice % len(FAILURES)])
            case _:
                await stream.stall(fault.seconds)
        return str(stream.call)

    async def _a_watch(self, fault: Fault, target: OperatorTarget) -> WatchStream:
        while not await _within_patience(lambda: bool(target.proxy.watches)):
            await self._give_up(fault.target, "had no watch")
        streams = sorted(target.proxy.watches, key=lambda stream: stream.call.path)
        return streams[fault.choice % len(streams)]

    async def _give_up(self, name: Target, why: str) -> None:
        """Record that an operator is unhealthy without an active fault, and restart it."""
        process = self.targets[name].process
        state = "alive" if process.alive else "dead"
        self.journal.complain(f"{name} ({state}) {why} for {_PATIENCE:.0f} s; it was restarted")
        await process.kill()
        process.start()

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


async def _later(exchange: Exchange, seconds: float) -> None:
    """Deliver a call after its sender has timed out."""
    await asyncio.sleep(seconds)
    with contextlib.suppress(aiohttp.ClientError):
        await exchange.forward()
