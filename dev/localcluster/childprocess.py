"""Starts programs that outlive this process, and stops them without ever killing an unrelated process.

A process id alone does not identify a process: the kernel reuses it once the process is gone. So each start
writes a record of the id together with the boot id and the start time of the process.
"""

import atexit
import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STARTTIME_FIELD = 22  # proc_pid_stat(5), counted from one
FLAGS_FIELD = 9
PF_KTHREAD = 0x00200000  # linux/sched.h
EXEC_SECONDS = 2.0
"""How long a process may take for its exec, on a busy machine."""

_libc = ctypes.CDLL(None, use_errno=True)
# Popen warns if it is garbage collected before its process has ended; ours are meant to outlive this program.
_children: dict[int, subprocess.Popen[bytes]] = {}


@atexit.register
def _collect_children() -> None:
    """Reap ended children: a killed group leader is a zombie until its last thread is gone."""
    for child in _children.values():
        child.poll()


@dataclass(frozen=True)
class ProcessRecord:
    """One process, distinguished from all others that had or will have its id."""

    pid: int
    boot: str
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord":
        """Describe a process that runs now; raises `FileNotFoundError` when there is none."""
        return cls(pid=pid, boot=_boot_id(), start_ticks=int(_stat(pid)[STARTTIME_FIELD - 1]))

    @classmethod
    def read(cls, path: Path) -> "ProcessRecord | None":
        """Read a record; a missing or half-written file (we died while writing) is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the record where `read` finds it."""
        path.write_text(json.dumps(asdict(self)))

    @property
    def running(self) -> bool:
        """Whether this process still runs. A zombie no longer runs once its last thread is gone.

        Until then a killed program holds its sockets, and its successor could not listen on them.
        """
        if child := _children.get(self.pid):
            child.poll()
        try:
            return ProcessRecord.of(self.pid) == self and not _is_dead(self.pid)
        except (FileNotFoundError, ProcessLookupError):
            return False

    def kill_group(self, number: signal.Signals) -> None:
        """Send a signal to the process group, if the process is still the recorded one."""
        if self.running:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return


def _is_dead(pid: int) -> bool:
    threads = sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    return _stat(pid)[2] == "Z" and threads <= 1


def start(argv: Sequence[str], *, record: Path, log: Path, env: Mapping[str, str]) -> ProcessRecord:
    """Start a program in a process group of its own, its output going to the end of `log`.

    Args:
        argv: The program and its arguments.
        record: The file for its process record.
        log: The file for standard output and standard error.
        env: Its environment.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    started = ProcessRecord.of(child.pid)
    started.write(record)
    return started


def die_with_parent() -> None:
    """Make the kernel kill the calling process when the thread that started it ends, for any reason."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop(record: Path, *, grace_seconds: float) -> int | None:
    """Stop the recorded process: with SIGTERM, then SIGKILL after the grace period; without grace, at once.

    Returns:
        Its exit code, if this process started it and it has ended.
    """
    process = ProcessRecord.read(record)
    if process is None:
        return None
    if grace_seconds > 0:
        process.kill_group(signal.SIGTERM)
        wait_until(lambda: not process.running, timeout_seconds=grace_seconds)
    process.kill_group(signal.SIGKILL)
    wait_until(lambda: not process.running, timeout_seconds=10)
    child = _children.get(process.pid)
    code = child.poll() if child is not None else None
    if code is not None:
        del _children[process.pid]
    record.unlink(missing_ok=True)
    return code


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float, poll_seconds: float = 0.02) -> bool:
    """Poll until the condition holds or the time is over; return whether it holds."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_seconds)
    return True


def kill_marked(name: str, value: str) -> None:
    """Kill every process of this user whose environment has this variable, in any process group.

    A process in the middle of its exec shows no environment yet, so it is read again until it does.
    """
    mark = f"{name}={value}".encode()
    unread = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    wait_until(
        lambda: _all_settled(unread, mark),
        timeout_seconds=EXEC_SECONDS,
    )


def _all_settled(unread: set[int], mark: bytes) -> bool:
    unread -= {pid for pid in unread if _is_settled(pid, mark)}
    return not unread


def _is_settled(pid: int, mark: bytes) -> bool:
    """Kill the process if it has the mark; return False if its environment could not be read yet."""
    try:
        # A pidfd refers to this process only: if its id is reused meanwhile, no other process is killed.
        handle = os.pidfd_open(pid)
    except OSError:
        return True
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        if mark in environment.split(b"\0"):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        return bool(environment) or _has_none(pid)
    except OSError:
        return True
    finally:
        os.close(handle)


def _has_none(pid: int) -> bool:
    """Return whether a process shows no environment because it has none.

    In the middle of an exec it shows no command either.
    """
    stat = _stat(pid)
    ended_or_kernel = stat[2] in "ZX" or bool(int(stat[FLAGS_FIELD - 1]) & PF_KTHREAD)
    return ended_or_kernel or bool(Path(f"/proc/{pid}/cmdline").read_bytes())


def _stat(pid: int) -> list[str]:
    # The second field is the program's name in brackets and may itself hold blanks and brackets.
    head, _, tail = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    return [*head.split("(", 1), *tail.split()]


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
