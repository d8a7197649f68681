"""Builds the cluster's programs from pinned Go modules, saying how far it is."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.errors import BuildError
from localcluster.gotoolchain import go_environment

MODULES = Path(__file__).parent / "modules"
KUBERNETES_VERSION = "v1.36.0"
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
)
ETCD_PACKAGE = "go.etcd.io/etcd/server/v3"
PROGRAMS = (*KUBERNETES_PROGRAMS, "etcd")
REPORT_EVERY_SECONDS = 10


@dataclass
class Progress:
    """How far one step is, as read from what `go` prints."""

    name: str
    started: float
    total: int = 0
    downloads: int = 0
    packages: int = 0
    tail: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        """Take one line: a download, the name of a package, or part of an error."""
        if line.startswith("go: downloading"):
            self.downloads += 1
        elif line.startswith(("#", "go:")) or " " in line:
            self.tail = [*self.tail[-30:], line]
        else:
            self.packages += 1

    def __str__(self) -> str:
        """Say it in one line; packages that Go has in its cache are in the total and never printed."""
        downloads = f"{self.downloads} modules downloaded, " if self.downloads else ""
        total = f" of at most {self.total}" if self.total else ""
        return f"{self.name}: {downloads}{self.packages}{total} packages, {_elapsed(self.started)}"


def build(go: str, target: Path, say: Callable[[str], None]) -> None:
    """Compile all programs into `target`.

    Only the first run on a machine downloads and compiles everything; Go keeps both for later ones.
    """
    started = time.monotonic()
    kubernetes = [f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES_PROGRAMS]
    say("fetching the sources (1 of 3)")
    sources = Progress("sources", started)
    run_go([go, "list", "-mod=readonly", "-deps", *kubernetes, ETCD_PACKAGE], sources, say)
    compile_ = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-v"]
    say("compiling Kubernetes (2 of 3)")
    arguments = [f"-ldflags={linker_flags()}", "-o", f"{target}/", *kubernetes]
    run_go([*compile_, *arguments], Progress("Kubernetes", started, total=sources.packages), say)
    say("compiling etcd (3 of 3)")
    arguments = ["-ldflags=-s -w", "-o", str(target / "etcd"), ETCD_PACKAGE]
    run_go([*compile_, *arguments], Progress("etcd", started), say)
    say(f"built in {_elapsed(started)}")


def linker_flags() -> str:
    """Give the programs the version they would tell had they come from the official build."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    facts = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    flags = (f"-X {package}.{name}={value}" for package in packages for name, value in facts.items())
    return " ".join(("-s -w", *flags))


def run_go(
    command: Sequence[str], progress: Progress, say: Callable[[str], None], *, modules: Path = MODULES
) -> None:
    """Run Go in the folder of a module; raise `BuildError` with the end of its output if it fails."""
    with subprocess.Popen(
        command,
        cwd=modules,
        env=go_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            with _now_and_then(lambda: say(str(progress))):
                for line in process.stdout or ():
                    progress.read(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise BuildError(f"go {command[1]} failed:\n" + "\n".join(progress.tail))


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
