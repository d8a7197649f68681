"""Runs a program and prints what it took, as JSON: `stopwatch.py LIMIT_SECONDS STDOUT STDERR PROGRAM [...]`.

This is a separate small process, because the kernel's peak memory of a process includes that of its parent
until the exec: otherwise a benchmark that has drawn a million rows would inflate every result. It is started
as a file, without the benchmark's package, for the same reason.
"""

import json
import os
import signal
import sys
import time


def main() -> None:
    """Run it to its end, or to the limit."""
    limit, stdout, stderr, *command = sys.argv[1:]
    began = time.monotonic()
    process = _start(command, stdout, stderr)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(process, signal.SIGKILL))
    signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, float(limit))
    _, status, used = os.wait4(process, 0)
    seconds = time.monotonic() - began
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(
        json.dumps(
            {
                "exitCode": os.waitstatus_to_exitcode(status),
                "wallSeconds": seconds,
                "cpuSeconds": used.ru_utime + used.ru_stime,
                "peakKiB": used.ru_maxrss,
            }
        )
    )


def _start(command: list[str], stdout: str, stderr: str) -> int:
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, stdout, write, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, stderr, write, 0o600),
        ],
    )


if __name__ == "__main__":
    main()
