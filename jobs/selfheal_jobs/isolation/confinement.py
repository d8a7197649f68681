"""Takes from this process, for good, the files and the network that a model does not need.

Landlock (Linux 5.13) restricts files, signals and other processes; seccomp refuses sockets. Both work without
privileges, and under the seccomp profile RuntimeDefault. https://docs.kernel.org/userspace-api/landlock.html
"""

import errno
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from landlockpy import AccessFS, Ruleset, Scope, abi_version
from seccompy import Action, ArgCmp, CmpOp, Filter, syscall_nr

_READ: Final = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.EXECUTE
_WRITE: Final = (
    AccessFS.READ_FILE
    | AccessFS.READ_DIR
    | AccessFS.WRITE_FILE
    | AccessFS.TRUNCATE
    | AccessFS.MAKE_REG
    | AccessFS.MAKE_DIR
    | AccessFS.REMOVE_FILE
    | AccessFS.REMOVE_DIR
    | AccessFS.REFER
)
_REFUSED: Final = (
    "socket",  # network and local sockets; `socketpair` stays, which reaches nobody
    "io_uring_setup",  # its operations pass by this filter, sockets among them
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "userfaultfd",
    "keyctl",
    "add_key",
    "request_key",
    "bpf",
    "perf_event_open",
    "mount",
    "unshare",
    "setns",
    "setsid",  # who leaves the process group is not ended with it
    "setpgid",
)
_OF_OTHERS: Final = (
    ("prlimit64", 0),
    ("sched_setaffinity", 0),
    ("sched_setattr", 0),
    ("sched_setparam", 0),
    ("sched_setscheduler", 0),
    ("setpriority", 0),  # of a process, which is 0, not of all of a user
    ("setpriority", 1),
    ("ioprio_set", 1),
)
"""Calls that change other processes of the same user, such as limits that end them, and which argument must
be 0, for the caller itself. Landlock has no rule for them."""
_X32: Final = 0x40000000
"""Kernels with the x32 interface take the calls of x86-64 by other numbers as well: by this bit."""
_X32_NUMBERS: Final = (521, 539, 540)
"""There, ptrace, process_vm_readv and process_vm_writev have numbers of their own."""
_LARGEST_FILE: Final = 2**30


class UnconfinedError(Exception):
    """The kernel cannot confine a process."""


def confine(readable: Sequence[Path], writable: Sequence[Path]) -> None:
    """Confine this thread and all that it starts later. Nothing undoes it.

    Call it before a library starts threads: those that run already are not confined.

    Args:
        readable: Files, and folders with all below them; those that do not exist are left out.
        writable: The same, to be written to as well.

    Raises:
        UnconfinedError: The kernel has no Landlock.
    """
    if abi_version() < 1:
        raise UnconfinedError("the kernel of this node has no Landlock (Linux 5.13), which confines a model")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as rules:
        for paths, access in ((readable, _READ), (writable, _WRITE)):
            for path in paths:
                _allow(rules, path, access)
        rules.restrict()
    _refuse_calls()


def _allow(rules: Ruleset, path: Path, access: AccessFS) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        access &= AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.EXECUTE | AccessFS.TRUNCATE
    rules.allow_path(path, access)


def _refuse_calls() -> None:
    calls = Filter(default=Action.ALLOW)
    for name in _REFUSED:
        calls.errno(name, errno.EPERM)
    for name, argument in _OF_OTHERS:
        calls.errno(name, errno.EPERM, args=[ArgCmp(argument, CmpOp.NE, 0)])
    for name in {*_REFUSED, *(name for name, _ in _OF_OTHERS)}:
        calls.errno(_X32 | syscall_nr(name), errno.EPERM)
    for number in _X32_NUMBERS:
        calls.errno(_X32 | number, errno.EPERM)
    calls.load()
