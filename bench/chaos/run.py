"""A complete run: start the testbed, inject faults, wait for quiescence, audit the record."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from chaos.admin import Admin, Document
from chaos.audit import audit, unsettled
from chaos.clock import ClockStep, QuickTime, quick_creation_times
from chaos.faults import OPERATORS, Fault, Target
from chaos.findings import Findings
from chaos.forger import Forger
from chaos.injector import Injector, OperatorTarget
from chaos.journal import JOURNAL, Journal
from chaos.move import MOVES
from chaos.node import DRIFT_SHARE, SimulatedNode
from chaos.operator_config import OperatorConfig, live
from chaos.operator_process import OperatorProcess, fork_server
from chaos.phase import Phase
from chaos.record import AUDIT_LOG, SIGHTINGS, read_record, record_of
from chaos.registry import SimulatedRegistry
from chaos.testbed import Testbed
from chaos.users import Users
from testbed.fault_proxy import Proxy

_TIMES: Final = "times.json"
_REST_SECONDS: Final = 90
"""Real seconds that the operators may take to become idle after the last fault."""
_SHORTEST_HALF: Final = timedelta(minutes=3)
"""In the operators' time. A few faults are over in seconds, and without a due slot nothing can go wrong: most
monitors have a slot every one to three minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The parameters of a run."""

    seed: int
    faults: list[Fault]
    monitors: int
    speed: int
    folder: Path
    entry: Callable[[OperatorConfig], None] = live
    """The entry point of an operator process."""
    drift_share: float = DRIFT_SHARE
    """The share of checks that find drift."""
    say: Callable[[str], None] = print

    async def perform(self) -> "Outcome":
        """Run it; the files in the folder are sufficient to repeat the audit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        testbed = Testbed(self.folder)
        try:
            self.say("starting an API server, etcd and the controllers")
            await asyncio.to_thread(testbed.start)
            return await self._perform(testbed)
        finally:
            await asyncio.to_thread(testbed.stop)

    async def _perform(self, testbed: Testbed) -> "Outcome":
        quick = QuickTime.starting_now(self.speed)
        began = time.monotonic()
        journal = Journal(self.folder / JOURNAL)
        async with self._cast(testbed, quick, journal) as injector:
            await injector.users.apply_all()
            half = len(self.faults) // 2
            self.say(f"{self.monitors} monitors. Three operators lead at the same time; {half} faults begin")
            await self._strike(injector, self.faults[:half], quick)
            await injector.bow_out()
            curtain = _newest_version(await testbed.sight(injector.admin))
            self.say("One of three operators leads, by a Lease; the other half of the faults begins")
            await self._strike(replace(injector, phase=Phase(elects=True)), self.faults[half:], quick)
            end = quick.now()
            self.say("faults are over; waiting for rest")
            await self._rest(injector.admin, testbed, quick, end)
            await injector.bow_out()
            await testbed.sight(injector.admin)
            processes = [target.process for target in injector.targets.values()]
            lives = sum(process.lives for process in processes)
            dead = [end for process in processes for end in process.dead]
        journal.close()
        testbed.keep_log()
        keep_times(self.folder, quick, end)
        findings = audit_again(self.folder)
        findings.broken += journal.complaints
        findings.dead += dead
        return Outcome(
            seed=self.seed,
            findings=findings,
            curtain=curtain,
            journal=journal,
            lives=lives,
            seconds=time.monotonic() - began,
        )

    async def _strike(self, injector: Injector, faults: list[Fault], quick: QuickTime) -> None:
        """Inject faults into healthy operators, and restore their health afterwards."""
        await injector.heal()
        telling = asyncio.create_task(self._tell(injector.journal))
        try:
            at_least = asyncio.sleep(_SHORTEST_HALF.total_seconds() / quick.speed)
            await asyncio.gather(injector.strike_all(faults), at_least)
        finally:
            telling.cancel()
        await injector.heal()

    @asynccontextmanager
    async def _cast(self, testbed: Testbed, quick: QuickTime, journal: Journal) -> AsyncIterator[Injector]:
        """Start the operators, users and simulated node; stop them at the end."""
        async with AsyncExitStack() as stack:
            admin, client = await testbed.admin()
            stack.push_async_callback(client.close)
            watching = await stack.enter_async_context(testbed.watching())
            registry = SimulatedRegistry(self.folder / MOVES)
            stack.callback(registry.close)
            node = SimulatedNode(admin, watching, quick, registry, self.seed, drift_share=self.drift_share)
            running = asyncio.create_task(node.run())
            stack.push_async_callback(_cancelled, running)
            forks = fork_server()
            targets: dict[Target, OperatorTarget] = {}
            for target in OPERATORS:
                proxy = Proxy(
                    target,
                    testbed.cluster.server,
                    testbed.trust(),
                    now=quick.now,
                    translate=quick_creation_times(quick),
                )
                await proxy.start()
                stack.push_async_callback(proxy.close)
                life = self._life(testbed, target, proxy.address, quick)
                process = OperatorProcess(forks, life, self.entry)
                stack.push_async_callback(process.kill)
                targets[target] = OperatorTarget(process, proxy)
            users = Users(admin, self.seed, self.monitors)
            forger = Forger(admin, testbed, users.monitors, quick.now)
            yield Injector(
                targets=targets,
                testbed=testbed,
                admin=admin,
                users=users,
                forger=forger,
                node=node,
                registry=registry,
                journal=journal,
                phase=Phase(elects=False),
            )

    def _life(self, testbed: Testbed, target: Target, address: str, quick: QuickTime) -> OperatorConfig:
        step = self.folder / f"{target}.clock"
        ClockStep(step).offset = timedelta(0)
        return OperatorConfig(
            kubeconfig=testbed.operator_kubeconfig(target, address),
            log=self.folder / f"{target}.log",
            step=step,
            time=quick,
            settings={},
        )

    async def _tell(self, journal: Journal) -> None:
        """Print the progress periodically."""
        while True:
            await asyncio.sleep(20)
            self.say(f"{journal.struck.total()} of {len(self.faults)} faults have struck")

    async def _rest(self, admin: Admin, testbed: Testbed, quick: QuickTime, end: datetime) -> None:
        """Wait until the statuses contain everything that was due at `end`, or until a timeout."""
        deadline = time.monotonic() + _REST_SECONDS
        while time.monotonic() < deadline:
            await asyncio.sleep(2)
            if not unsettled(record_of(await testbed.sight(admin), testbed.forged), quick.at, end):
                return


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a run."""

    seed: int
    findings: Findings
    curtain: int
    """The revision after which only one operator led."""
    journal: Journal
    lives: int
    """Operator processes that were started."""
    seconds: float

    def passes(self, faults: int) -> bool:
        """Return whether nothing is wrong and the run was meaningful: `faults` were injected, checks ran."""
        return self.findings.clean and self.findings.started > 0 and self.journal.struck.total() == faults


def _newest_version(bodies: Iterable[Document]) -> int:
    return max(int(body["metadata"]["resourceVersion"]) for body in bodies)


def keep_times(folder: Path, quick: QuickTime, end: datetime) -> None:
    """Store what an audit needs besides the record."""
    times = {"begin": quick.begin.isoformat(), "speed": quick.speed, "end": end.isoformat()}
    (folder / _TIMES).write_text(json.dumps(times))


def audit_again(folder: Path) -> Findings:
    """Audit the run whose record is in the folder."""
    times = json.loads((folder / _TIMES).read_text())
    quick = QuickTime(datetime.fromisoformat(times["begin"]), times["speed"])
    record = read_record(folder / AUDIT_LOG, folder / SIGHTINGS)
    return audit(record, quick.at, datetime.fromisoformat(times["end"]))


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
