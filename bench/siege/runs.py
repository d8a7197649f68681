"""Runs a check or a retraining as its container does: by the operator's own manifest, with a pod's token.

The process has the container's environment, with the values of real Secrets, and reports to the real API
server, as the policies let it. What a container's file system would hold is in a folder of its own.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import selfheal_jobs
import selfheal_operator
import siege
from localcluster.kubeconfig import kubeconfig, token_user, write_kubeconfig
from localcluster.processnode.environment import (
    Sources,
    container_environment,
    expand,
    referenced_sources,
)
from selfheal_operator.api.names import LABEL_JOB_UID, PLURAL
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.jobs import check_job, retrain_job
from selfheal_operator.core.observed import JobDefaults, monitor_from
from siege.attack import UntriedError
from siege.ground import HOME, Ground, decoded, passes
from siege.monitors import monitor
from testbed.caller import collection
from testbed.kubectl import Document
from testbed.unwatched_monitor import SLOT

LONGEST_SECONDS: Final = 120
"""A run that takes longer is ended, and its attack was not tried."""
_NUMBERS: Final = itertools.count(1)
_PACKAGES: Final = (selfheal_jobs, selfheal_operator, siege)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a run has left behind."""

    code: int
    log: str
    status: Document
    """Of its monitor."""
    termination: str
    """Its container's termination message."""
    folder: Path

    @property
    def outcome(self) -> Document:
        """The outcome that was reported; empty if none was."""
        found: Document = self.status.get("lastRetraining") or self.status.get("lastCheck") or {}
        return found

    @property
    def said(self) -> str:
        """The outcome's reason and message, by which people judge the run."""
        outcome = self.outcome
        if not outcome:
            return f"no report, exit code {self.code}: {self.log[-300:]}"
        return f"{outcome['result']}, {outcome['reason']}: {outcome['message']}"

    @property
    def shown(self) -> str:
        """All texts that somebody other than the owner of the Secrets may see."""
        return "\n".join((self.log, str(self.status), self.termination))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The pod of one run, before it starts."""

    name: str
    """Its monitor's."""
    folder: Path
    purpose: Purpose
    environment: Mapping[str, str]
    command: Sequence[str]

    @property
    def token(self) -> Path:
        """The file with its ServiceAccount's token."""
        return self.folder / "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run is to do."""

    purpose: Purpose
    spec: Mapping[str, Any]
    mlflow: str = "http://127.0.0.1:9"
    """Its MLflow server; nobody listens at the default."""
    name: str = ""
    """Its monitor's; a new one by default."""
    model: Document | None = None
    """The version that the status has recorded."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the operator."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What else the node gives to the container."""
    without: tuple[str, ...] = ()
    """Guards that the run lacks, beside those that no run has now."""
    number: int = 1
    """Of a retraining."""
    token: str = ""
    """The request for a retraining, with its options."""
    job_uid: str = field(default_factory=lambda: str(uuid4()))
    """Of the Job whose pod it is: two runs of one object are two pods of one Job."""


def new_name(stem: str) -> str:
    """Return a name for a monitor that no other attack uses."""
    return f"{stem}-{next(_NUMBERS)}"


def prepared(ground: Ground, wanted: Wanted) -> Pod:
    """Store the monitor, and make the pod's folder, token and environment."""
    name = wanted.name or new_name("run")
    job = _job(ground, name, wanted)
    folder = ground.folder / "pods" / new_name(name)
    for each in ("home", "tmp"):
        (folder / each).mkdir(parents=True)
    who = ground.pod_token(f"{job['metadata']['name']}-s1ege")
    (folder / "token").write_text(who)
    authority = (ground.cluster.state.pki / "ca.crt").read_bytes()
    write_kubeconfig(
        folder / "kubeconfig",
        kubeconfig(ground.cluster.server, authority, token_user(folder / "token"), HOME),
    )
    container = job["spec"]["template"]["spec"]["containers"][0]
    environment = container_environment(
        {"metadata": {"name": name, "labels": {LABEL_JOB_UID: wanted.job_uid}}},
        container,
        _sources(ground, container),
        {**_given(), **wanted.variables},
    )
    imposed = {
        "KUBECONFIG": str(folder / "kubeconfig"),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "TERMINATION_MESSAGE_PATH": str(folder / "termination-log"),
    }
    words = [expand(word, environment) for word in container["command"]]
    return Pod(
        name=name,
        folder=folder,
        purpose=wanted.purpose,
        environment={**environment, **imposed},
        command=_weakened([sys.executable, *words[1:]], (*ground.weakened, *wanted.without)),
    )


def ended(ground: Ground, pod: Pod) -> End:
    """Run the container's command to its end."""
    log = pod.folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            pod.command,
            env=dict(pod.environment),
            cwd=pod.folder / "home",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(LONGEST_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise UntriedError(f"the run has not ended after {LONGEST_SECONDS} s") from late
        finally:
            process.kill()
            process.wait()
    message = pod.folder / "termination-log"
    return End(
        code=code,
        log=log.read_text(errors="replace"),
        status=ground.read(PLURAL, pod.name).get("status", {}),
        termination=message.read_text() if message.exists() else "",
        folder=pod.folder,
    )


def run(ground: Ground, wanted: Wanted) -> End:
    """Prepare a run, and run it to its end."""
    return ended(ground, prepared(ground, wanted))


def check(ground: Ground, spec: Mapping[str, Any], **more: Any) -> End:
    """Run a check."""
    return run(ground, Wanted(purpose=Purpose.CHECK, spec=spec, **more))


def retraining(ground: Ground, spec: Mapping[str, Any], **more: Any) -> End:
    """Run a retraining."""
    return run(ground, Wanted(purpose=Purpose.RETRAIN, spec=spec, **more))


def _job(ground: Ground, name: str, wanted: Wanted) -> Document:
    """Return the Job that the operator would make for the monitor, which is stored first."""
    document = monitor(name, {"suspend": True, **wanted.spec}, namespace=HOME)
    ground.apply(document)
    if wanted.model is not None:
        patch = {"status": {"model": wanted.model}}
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), patch), "a recorded version")
    found = monitor_from(ground.read(PLURAL, name))
    given = {"data_paths": (str(ground.data),), "tracking_uri": wanted.mlflow, **wanted.defaults}
    defaults = JobDefaults(**given)
    if wanted.purpose is Purpose.CHECK:
        return check_job(found, found.read_spec(), SLOT, defaults)
    return retrain_job(found, found.read_spec(), wanted.number, SLOT, defaults, token=wanted.token)


def _sources(ground: Ground, container: Document) -> Sources:
    names = {each.name for each in referenced_sources(container) if each.kind == "Secret"}
    found = {name: decoded(ground.read("secrets", name)) for name in names}
    return Sources(secrets=found)


def _given() -> dict[str, str]:
    """Return what each container has; of our own modules only those that are in the image, and this one."""
    roots = dict.fromkeys(str(Path(str(each.__file__)).parents[1]) for each in _PACKAGES)
    path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))
    return {"PATH": path, "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(roots)}


def _weakened(command: list[str], guards: Sequence[str]) -> list[str]:
    """Return the command, in a process that lacks some guards."""
    if not guards:
        return command
    return [command[0], "-m", "siege.weakened_run", ",".join(guards), command[-1]]
