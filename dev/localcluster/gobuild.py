"""Builds the cluster's programs from pinned Go modules, saying how far it is."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.errors import BuildError

MODULES = Path(__file__).parent / "modules"
KUBERNETES_VERSION = "v1.36.3"
KUBERNETES_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
ETCD_PACKAGE = "go.etcd.io/etcd/server/v3"
PROGRAMS = (*KUBERNETES_PROGRAMS, "etcd")
REPORT_EVERY_SECONDS = 10


@dataclass
class Progress:
    """What a build has done so far, as read from what `go build -v` prints."""

    name: str
    started: float
    downloaded: int = 0
    compiled: int = 0
    tail: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        """Take one line: a download, the name of a package, or part of an error."""
        if line.startswith("go: downloading"):
            self.downloaded += 1
        elif line.startswith(("#", "go:")) or " " in line:
            self.tail = [*self.tail[-30:], line]
        else:
            self.compiled += 1

    def __str__(self) -> str:
        """Say it in one line."""
        downloads = f"{self.downloaded} modules downloaded, " if self.downloaded else ""
        return f"{self.name}: {downloads}{self.compiled} packages compiled, {_elapsed(self.started)}"


def build(go: str, target: Path, say: Callable[[str], None]) -> None:
    """Compile all programs into `target`.

    Only the first run on a machine compiles everything (1,900 packages, about six minutes on two cores);
    Go's own build cache makes later ones short.
    """
    started = time.monotonic()
    kubernetes = [f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES_PROGRAMS]
    steps = {
        "Kubernetes": [f"-ldflags={linker_flags()}", "-o", f"{target}/", *kubernetes],
        "etcd": ["-ldflags=-s -w", "-o", str(target / "etcd"), ETCD_PACKAGE],
    }
    for number, (name, arguments) in enumerate(steps.items(), start=1):
        say(f"building {name} ({number} of {len(steps)})")
        progress = Progress(name, started)
        _go_build(go, arguments, progress, say)
    say(f"built in {_elapsed(started)}")


def linker_flags() -> str:
    """Give the programs the version they would tell had they come from the official build."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    facts = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    flags = (f"-X {package}.{name}={value}" for package in packages for name, value in facts.items())
    return " ".join(("-s -w", *flags))


def _go_build(go: str, arguments: Iterable[str], progress: Progress, say: Callable[[str], None]) -> None:
    # Without cgo neither a C compiler nor its headers are needed, and the programs are static
    # like the official ones.
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-v", *arguments]
    with subprocess.Popen(
        command, cwd=MODULES, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            with _now_and_then(lambda: say(str(progress))):
                for line in process.stdout or ():
                    progress.read(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise BuildError("go build failed:\n" + "\n".join(progress.tail))


@contextmanager
def _now_and_then(call: Callable[[], None]) -> Iterator[None]:
    """Call a function every few seconds during the block; linking alone prints nothing for a minute."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(REPORT_EVERY_SECONDS):
            call()

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        over.set()
        ticker.join()


def _elapsed(since: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}:{seconds:02d} min"
