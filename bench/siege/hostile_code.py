"""What the code of a model tries: everything that a process may reach. Only the standard library is used.

`python -m siege.hostile_code <targets as JSON>` tries all of it in a process that nobody confines, the child
of one with the same environment: what it does not reach there was no attack.
"""

import contextlib
import ctypes
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Targets = Mapping[str, Any]
"""Paths, ports and the secret that are there to be reached."""


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _called(result: int) -> int:
    """Return the result of a system call; raise OSError for a failure."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _found(text: str, wanted: str) -> None:
    """Raise LookupError unless the secret is in a text."""
    if wanted not in text:
        raise LookupError("it is not there")


def _variables(t: Targets) -> None:
    _found(str(dict(os.environ)), t["secret"])


def _first_variables(t: Targets) -> None:
    _found(Path("/proc/self/environ").read_text(), t["secret"])


def _parents_variables(t: Targets) -> None:
    _found(Path(f"/proc/{os.getppid()}/environ").read_text(), t["secret"])


def _first_address() -> int:
    return int(Path(f"/proc/{os.getppid()}/maps").read_text().split("-")[0], 16)


def _parents_memory(_: Targets) -> None:
    with Path(f"/proc/{os.getppid()}/mem").open("rb", buffering=0) as memory:
        memory.seek(_first_address())
        memory.read(16)


def _parents_memory_by_call(_: Targets) -> None:
    room = ctypes.create_string_buffer(16)
    here = struct.pack("PN", ctypes.addressof(room), 16)
    there = struct.pack("PN", _first_address(), 16)
    _called(_libc().process_vm_readv(os.getppid(), here, 1, there, 1, 0))


def _trace(_: Targets) -> None:
    _called(_libc().ptrace(0x4206, os.getppid(), None, None))  # PTRACE_SEIZE, which does not stop it


def _parents_files(_: Targets) -> None:
    list(Path(f"/proc/{os.getppid()}/fd").iterdir())


def _parents_output(_: Targets) -> None:
    with Path(f"/proc/{os.getppid()}/fd/1").open("ab") as log:
        log.write(b"")


def _parents_command(_: Targets) -> None:
    Path(f"/proc/{os.getppid()}/cmdline").read_bytes()


def _reads(name: str) -> Callable[[Targets], None]:
    def attempt(t: Targets) -> None:
        Path(t[name]).read_bytes()

    return attempt


def _lists(name: str) -> Callable[[Targets], None]:
    def attempt(t: Targets) -> None:
        list(Path(t[name]).iterdir())

    return attempt


def _writes(name: str) -> Callable[[Targets], None]:
    def attempt(t: Targets) -> None:
        made = Path(t[name]) / f"siege-{os.getpid()}"
        made.touch()
        made.unlink()

    return attempt


def _overwrites(t: Targets) -> None:
    with Path(t["data"]).open("r+b") as file:
        file.write(b"")


def _by_symbolic_link(t: Targets) -> None:
    link = Path(tempfile.mkdtemp()) / "link"
    link.symlink_to(t["token"])
    link.read_bytes()


def _by_hard_link(t: Targets) -> None:
    link = Path(tempfile.mkdtemp()) / "link"
    with contextlib.suppress(FileExistsError):
        os.link(t["token"], link)
    link.read_bytes()


def _by_root_of_parent(t: Targets) -> None:
    Path(f"/proc/{os.getppid()}/root{t['token']}").read_bytes()


def _by_program(t: Targets) -> None:
    subprocess.run(["/bin/cat", t["token"]], check=True, capture_output=True)


def _moves(t: Targets) -> None:
    target = Path(tempfile.mkdtemp()) / "moved"
    Path(t["movable"]).rename(target)
    target.rename(t["movable"])


def _tcp(t: Targets) -> None:
    socket.create_connection(("127.0.0.1", t["port"]), timeout=5).close()


def _tcp_v6(_: Targets) -> None:
    socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()


def _udp(t: Targets) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", t["port"]))


def _raw(_: Targets) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def _netlink(_: Targets) -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()


def _local(t: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(t["local"])


def _abstract(t: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + t["abstract"])


def _name(_: Targets) -> None:
    socket.getaddrinfo("localhost", 80)


def _listens(_: Targets) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()


def _ring(_: Targets) -> None:
    os.close(_called(_libc().syscall(425, 1, ctypes.create_string_buffer(256))))  # io_uring_setup


def _signals(_: Targets) -> None:
    os.kill(os.getppid(), 0)


def _signals_by_descriptor(_: Targets) -> None:
    descriptor = os.pidfd_open(os.getppid())
    try:
        _called(_libc().syscall(424, descriptor, 0, None, 0))  # pidfd_send_signal
    finally:
        os.close(descriptor)


def _limits(_: Targets) -> None:
    found = resource.prlimit(os.getppid(), resource.RLIMIT_CORE)
    resource.prlimit(os.getppid(), resource.RLIMIT_CORE, found)


def _slows(_: Targets) -> None:
    os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()))


def _pins(_: Targets) -> None:
    os.sched_setaffinity(os.getppid(), os.sched_getaffinity(os.getppid()))


def _schedules(_: Targets) -> None:
    os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0))


def _groups(_: Targets) -> None:
    # A process that leaves the group of its parent outlives the end of it.
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise PermissionError("setsid")


def _unshares(_: Targets) -> None:
    _in_child(lambda: _called(_libc().unshare(0x10000000)))  # CLONE_NEWUSER


def _mounts(_: Targets) -> None:
    folder = tempfile.mkdtemp().encode()
    _in_child(lambda: _called(_libc().mount(b"none", folder, b"tmpfs", 0, None)) or _libc().umount(folder))


def _key(_: Targets) -> None:
    _called(_libc().syscall(248, b"user", b"siege", b"x", ctypes.c_size_t(1), -2))  # add_key, process keyring


def _perf(_: Targets) -> None:
    # A software counter of the run's process.
    attributes = ctypes.create_string_buffer(128)
    ctypes.memmove(attributes, (1).to_bytes(4, "little") + (128).to_bytes(4, "little"), 8)
    os.close(_called(_libc().syscall(298, attributes, os.getppid(), -1, -1, 0)))


def _userfault(_: Targets) -> None:
    os.close(_called(_libc().syscall(323, 0)))


def _in_child(attempt: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        try:
            attempt()
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise PermissionError("refused")


ATTEMPTS: dict[str, Callable[[Targets], object]] = {
    "variables with Secrets": _variables,
    "/proc/self/environ": _first_variables,
    "/proc/<parent>/environ": _parents_variables,
    "/proc/<parent>/mem": _parents_memory,
    "the run's memory by process_vm_readv": _parents_memory_by_call,
    "tracing the run": _trace,
    "the run's open files": _parents_files,
    "the run's log": _parents_output,
    "the run's command line": _parents_command,
    "the ServiceAccount's token": _reads("token"),
    "the token by a symbolic link": _by_symbolic_link,
    "the token by a hard link": _by_hard_link,
    "the token by the run's root folder": _by_root_of_parent,
    "the token by another program": _by_program,
    "the kubeconfig": _reads("kubeconfig"),
    "the data": _reads("data"),
    "a list of the data": _lists("folder"),
    "/etc/passwd": _reads("accounts"),
    "a list of /": _lists("root"),
    "the run's temporary files": _lists("tmp"),
    "a file beside the data": _writes("folder"),
    "other contents of the data": _overwrites,
    "the data moved away": _moves,
    "a module beside the libraries": _writes("libraries"),
    "TCP": _tcp,
    "TCP over IPv6": _tcp_v6,
    "UDP, as for DNS": _udp,
    "raw packets": _raw,
    "netlink": _netlink,
    "a local socket": _local,
    "an abstract socket": _abstract,
    "resolving a name": _name,
    "listening": _listens,
    "io_uring": _ring,
    "a signal to the run": _signals,
    "a signal by a process descriptor": _signals_by_descriptor,
    "limits of the run": _limits,
    "the run's priority": _slows,
    "the run's processors": _pins,
    "the run's scheduler": _schedules,
    "leaving the process group": _groups,
    "namespaces of its own": _unshares,
    "a mount": _mounts,
    "a key of the kernel": _key,
    "counting the run's events": _perf,
    "userfaultfd": _userfault,
}
"""By what is reached, or done."""


def tried(targets: Targets) -> str:
    """Try everything; return one letter for each attempt: R for reached, else why not."""
    return "".join(_letter(attempt, targets) for attempt in ATTEMPTS.values())


def _letter(attempt: Callable[[Targets], object], targets: Targets) -> str:
    try:
        attempt(targets)
    except PermissionError:
        return "P"
    except LookupError:
        return "L"
    except (OSError, subprocess.SubprocessError):
        return "E"
    return "R"


def tells(targets: Targets) -> None:
    """Try everything, and say what came of it in an error, which becomes a message of the status."""
    raise RuntimeError(f"tried {tried(targets)}.")


def marks(path: str) -> int:
    """Leave a file, if it may: whoever finds it knows that code has run unconfined."""
    with contextlib.suppress(OSError):
        Path(path).touch()
    raise RuntimeError("marked")


def kills(signal_number: int) -> None:
    """End the run, and everything else that may be signalled."""
    for process in (os.getppid(), -1):
        with contextlib.suppress(OSError):
            os.kill(process, signal_number)
    raise RuntimeError("the run is still there")


def starves(kind: int) -> None:
    """Take a limit of the run down to nothing."""
    resource.prlimit(os.getppid(), kind, (0, 0))
    raise RuntimeError("starved")


def shouts(secret: str, lines: int) -> None:
    """Print to every output that there is."""
    text = f"{secret} \x1b[31m\n".encode()
    for descriptor in (1, 2):
        for _ in range(lines):
            os.write(descriptor, text)
    raise RuntimeError("shouted")


def waits() -> None:
    """Never come back."""
    while True:
        time.sleep(60)


def ends(code: int) -> None:
    """End the process without a word."""
    os._exit(code)


def sends(data: bytes, repeats: int = 1) -> None:
    """Write to all descriptors, of which one is that of the answers; then end."""
    for descriptor in range(3, 64):
        try:
            for _ in range(repeats):
                os.write(descriptor, data)
        except OSError:
            continue
    os._exit(0)


def framed(header: bytes, size: int | None = None, body: bytes = b"") -> bytes:
    """Return an answer as the run reads it: its header, by its length or another one, and a body."""
    return (len(header) if size is None else size).to_bytes(4, "big") + header + body


def multiplies(count: int) -> None:
    """Leave processes behind that try to leave the group, and fill the folder while it is removed."""
    folder = tempfile.gettempdir()
    for _ in range(count):
        if os.fork() == 0:
            with contextlib.suppress(OSError):
                os.setsid()
            end = time.monotonic() + 60
            number = 0
            while time.monotonic() < end:
                number += 1
                with contextlib.suppress(OSError):
                    Path(folder, f"{os.getpid()}-{number}").mkdir()
            os._exit(0)
    raise RuntimeError("multiplied")


def digs(depth: int) -> None:
    """Leave folders below folders, more than a recursion can go down."""
    os.chdir(tempfile.gettempdir())
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    raise RuntimeError("dug")


def locks() -> None:
    """Leave a folder that nobody may enter."""
    locked = Path(tempfile.gettempdir(), "locked")
    locked.mkdir()
    (locked / "file").touch()
    locked.chmod(0)
    raise RuntimeError("locked")


def main() -> None:
    """Try it in a child, as a model's process is one."""
    if "--child" in sys.argv:
        sys.stdout.write(tried(json.loads(sys.argv[1])))
        return
    subprocess.run([sys.executable, "-m", "siege.hostile_code", sys.argv[1], "--child"], check=True)


if __name__ == "__main__":
    main()
