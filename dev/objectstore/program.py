"""The S3 server's program, built once per machine beside the cluster's."""

import hashlib
import time
from pathlib import Path
from typing import Final

from localcluster.binaries import Say, cache_dir, ensure
from localcluster.gobuild import Progress, run_go
from localcluster.gotoolchain import go_command

MODULES: Final = Path(__file__).parent / "modules"
PACKAGE: Final = "github.com/versity/versitygw/cmd/versitygw"
PROGRAM: Final = "versitygw"


def versitygw(say: Say) -> Path:
    """Return the program; it is built first where it is missing, in one to two minutes on two cores."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / name).read_bytes())
    target = cache_dir() / f"{PROGRAM}-{digest.hexdigest()[:12]}"
    return ensure(target, [PROGRAM], lambda folder: _build(folder, say), say) / PROGRAM


def _build(folder: Path, say: Say) -> None:
    say(f"building {PROGRAM} from source (once on this machine, in one to two minutes on two cores)")
    go = go_command(cache_dir(), say)
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-v"]
    command = [go, "build", *flags, "-o", str(folder / PROGRAM), PACKAGE]
    run_go(command, Progress(PROGRAM, time.monotonic()), say, modules=MODULES)
