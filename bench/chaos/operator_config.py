"""Runs the operator in a child process, with its own kubeconfig, log and clock.

It is forked from a server that has imported everything, so an operator restarts within a tenth of a second
after a kill, and the kill is as real as that of any process.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import kubernetes.config.kube_config

from chaos.clock import ClockStep, QuickTime, SteppedClock
from localcluster.childprocess import die_with_parent
from selfheal_operator.config import Settings
from selfheal_operator.kube.clock import ServerClock
from selfheal_operator.logs import configure_logging
from selfheal_operator.main import run


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig:
    """The settings of an operator process."""

    kubeconfig: Path
    log: Path
    step: Path
    time: QuickTime
    settings: Mapping[str, str]


def live(life: OperatorConfig) -> None:
    """Run the operator until a signal."""
    die_with_parent()
    log = os.open(life.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.environ["KUBECONFIG"] = str(life.kubeconfig)
    # The client read the environment when it was imported, before the fork.
    kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION = str(life.kubeconfig)
    settings = Settings.from_environment(life.settings)
    configure_logging(settings.log_level)
    machine = SteppedClock(life.time, ClockStep(life.step))
    asyncio.run(run(settings, ServerClock(machine, machine.monotonic)))
