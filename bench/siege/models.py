"""What the code of a registered model tries: whoever may write to MLflow has its code run in a retraining."""

import json
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import mlflow

from selfheal_operator.api.reasons import Purpose
from siege import hostile_code
from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, SECRET, Ground, secret
from siege.hostile_code import ATTEMPTS, framed
from siege.runs import End, Wanted, ended, new_name, prepared
from siege.stranger import own_name, stranger
from siege.tables import plain_spec, side

_WRITER: Final = "a writer of MLflow"
_ORDINARY: Final = frozenset(
    {
        "the run's memory by process_vm_readv",
        "tracing the run",
        "/proc/<parent>/mem",
        "raw packets",
        "io_uring",
        "namespaces of its own",
        "a mount",
        "counting the run's events",
        "userfaultfd",
        "a module beside the libraries",
    }
)
"""What a node may refuse to every process that has no privileges: it is held there, whoever refuses it."""


@contextmanager
def _listeners(ground: Ground) -> Iterator[dict[str, Any]]:
    """Listen at a port and at two local sockets, as neighbours in a pod do."""
    local = Path("/tmp") / f"siege-{id(ground)}.socket"  # noqa: S108 - the path of a socket must be short
    abstract = f"siege-{id(ground)}"
    with (
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX) as nameless,
    ):
        named.bind(str(local))
        nameless.bind(f"\0{abstract}")
        for each in (port, named, nameless):
            each.listen()
            threading.Thread(target=_accept, args=(each,), daemon=True).start()
        try:
            yield {"port": port.getsockname()[1], "local": str(local), "abstract": abstract}
        finally:
            local.unlink()


def _accept(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            listener.accept()[0].close()


@dataclass(frozen=True, slots=True)
class _Reached:
    """What came of each attempt of one model, and of the same in a process that nobody confines."""

    confined: str
    free: str


def with_secret(ground: Ground) -> dict[str, Any]:
    """Return a spec whose run has a Secret, which is stored."""
    ground.apply(secret("lake", HOME, {"token": SECRET}))
    spec = plain_spec(ground)
    spec["podTemplate"] = {"env": [_variable("LAKE_TOKEN", "lake", "token")]}
    return spec


def _variable(name: str, of: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": of, "key": key}}}


def _reach(ground: Ground) -> _Reached:
    """Register a model that tries everything, retrain, and try the same unconfined."""
    name, writer = new_name("reach"), stranger(ground)
    wanted = Wanted(purpose=Purpose.RETRAIN, spec=with_secret(ground), mlflow=writer.uri, name=name)
    pod = prepared(ground, wanted)
    targets = {
        **ground.server("listeners", _listeners),
        "secret": SECRET,
        "token": str(pod.token),
        "kubeconfig": str(pod.folder / "kubeconfig"),
        "tmp": str(pod.folder / "tmp"),
        "data": str(side(ground, "current")),
        "movable": str(side(ground, "current")),
        "folder": str(ground.data),
        "accounts": "/etc/passwd",
        "root": "/",
        "libraries": str(Path(str(mlflow.__file__)).parents[1]),
    }
    free = subprocess.run(
        [sys.executable, "-m", "siege.hostile_code", json.dumps(targets)],
        env=dict(pod.environment),
        capture_output=True,
        text=True,
        check=False,
        cwd=pod.folder / "home",
    )
    writer.registers(own_name(name), partial(hostile_code.tells, targets))
    said = ended(ground, pod).said
    _, found, rest = said.partition("tried ")
    if not found or len(free.stdout) != len(ATTEMPTS):
        raise UntriedError(f"the model's code has not run: {said} {free.stderr[-200:]}")
    return _Reached(confined=rest.partition(".")[0], free=free.stdout)


def _reaches(number: int, name: str) -> Attack:
    def do(ground: Ground) -> Seen:
        reached = ground.once("reach of a model", _reach)
        here, free = reached.confined[number], reached.free[number]
        if free != "R" and name not in _ORDINARY:
            raise UntriedError(f"nobody reaches it here ({free})")
        got = "reached" if here == "R" else f"not reached ({here}; unconfined: {free})"
        return Seen(got, succeeded=here == "R")

    return Attack(f"a pickle that reaches for {name}", 4, _WRITER, do, "not reached")


def _loaded(ground: Ground, code: Callable[[], object], **more: Any) -> End:
    """Retrain against a model that runs code where it is loaded."""
    name, writer = new_name("hostile"), stranger(ground)
    pod = prepared(
        ground,
        Wanted(purpose=Purpose.RETRAIN, spec=with_secret(ground), mlflow=writer.uri, name=name, **more),
    )
    writer.registers(own_name(name), code)
    return ended(ground, pod)


def misbehaves(name: str, code: Callable[[], object], expected: str, **more: Any) -> Attack:
    """Return the attack of a model that must become a short report of its run, without secrets."""

    def do(ground: Ground) -> Seen:
        return reported(_loaded(ground, code, **more))

    return Attack(name, 4, _WRITER, do, expected)


def reported(end: End) -> Seen:
    """Return whether a run has reported as it should: one printable line, and no secret anywhere."""
    message = end.outcome.get("message", "")
    odd = not message.isprintable() or len(message) > _LONGEST
    leaked = SECRET in end.shown or "\x1b" in end.shown
    lost = not end.outcome or end.code != 0
    found = f"{'secret shown; ' if leaked else ''}{'odd message; ' if odd else ''}{end.said[:400]!a}"
    return Seen(found, succeeded=leaked or odd or lost)


_LONGEST: Final = 1000
"""Characters of a message about a model."""
_HEADER: Final = b'{"bytes": 0, "values": false, '

ATTACKS: Final = (
    *(_reaches(number, name) for number, name in enumerate(ATTEMPTS)),
    misbehaves(
        "a pickle that kills the run", partial(hostile_code.kills, signal.SIGKILL), "ChampionNotScorable"
    ),
    misbehaves(
        "a pickle that takes the run's files away",
        partial(hostile_code.starves, resource.RLIMIT_NOFILE),
        "ChampionNotScorable",
    ),
    misbehaves(
        "a pickle that takes the run's processor time away",
        partial(hostile_code.starves, resource.RLIMIT_CPU),
        "ChampionNotScorable",
    ),
    misbehaves(
        "a pickle that prints secrets and escapes",
        partial(hostile_code.shouts, SECRET, 1),
        "ChampionNotScorable",
    ),
    misbehaves(
        "a pickle that prints without end", partial(hostile_code.shouts, "x" * 10_000, 100_000), "shouted"
    ),
    misbehaves("a pickle that ends its process", partial(hostile_code.ends, 0), "exit code 0"),
    misbehaves(
        "a forged answer with a header of 4 GB",
        partial(hostile_code.sends, framed(b"", 2**32 - 1)),
        "the header is too long",
    ),
    misbehaves(
        "a forged answer of 4 GB",
        partial(hostile_code.sends, framed(b'{"bytes": 4294967296, "values": true}')),
        "bytes, and at most",
    ),
    misbehaves(
        "a forged answer that nests 100,000 deep",
        partial(hostile_code.sends, framed(b"[" * 100_000)),
        "the header is not readable",
    ),
    misbehaves(
        "a forged error of a megabyte with line breaks",
        partial(hostile_code.sends, framed(_HEADER + b'"error": "' + b"\\n\\u001b[31mx" * 60_000 + b'"}')),
        "ChampionNotScorable",
    ),
    misbehaves(
        "a forged answer that is a pickle",
        partial(hostile_code.sends, framed(b'{"bytes": 4, "values": true}', None, b"\x80\x04N.")),
        "the values are not readable",
    ),
    misbehaves(
        "a forged answer whose array takes 8 TB",
        partial(
            hostile_code.sends,
            framed(
                b'{"bytes": 129, "values": true}',
                None,
                b"N\x93NUMPY\x01\x00\x76\x00"
                + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
                + b"\n",
            ),
        ),
        "ChampionNotScorable",
    ),
    misbehaves(
        "processes that outlive the model and fill its folder",
        partial(hostile_code.multiplies, 8),
        "multiplied",
    ),
    misbehaves("folders 5,000 deep in its folder", partial(hostile_code.digs, 5_000), "dug"),
    misbehaves("a folder that nobody may enter", hostile_code.locks, "locked"),
    misbehaves(
        "a pickle that never comes back", hostile_code.waits, "has not answered within", without=("patience",)
    ),
)
