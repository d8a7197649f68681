"""An environment for each tool that does not fit into the project's own, made once per machine.

Their versions of numpy exclude each other, and ours.
"""

import hashlib
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

from localcluster.binaries import Say, cache_dir, ensure
from selfheal_bench.check.contenders import Contender, own_python

INSTALL_SECONDS: Final = 900


class NotInstalledError(Exception):
    """A tool could not be installed; the sentence says why."""


def python_for(contender: Contender, say: Say) -> Path:
    """Return the Python that can run it; its packages are installed first where they are missing.

    Raises:
        NotInstalledError: They could not be.
    """
    if not contender.packages:
        return own_python()
    tell_apart = "\n".join([platform.python_version(), *contender.packages])
    digest = hashlib.sha256(tell_apart.encode()).hexdigest()[:12]
    target = cache_dir() / f"drift-{contender.name}-{contender.version}-{digest}"
    return (
        ensure(target, ["bin/python"], lambda folder: _fill(folder, contender, say), say) / "bin" / "python"
    )


def _fill(folder: Path, contender: Contender, say: Say) -> None:
    say(f"installing {contender.packages[0]} into an environment of its own (once; it may take minutes)")
    _uv("venv", "--python", sys.executable, str(folder))
    python = str(folder / "bin" / "python")
    # Byte code as in an image. The folder is renamed afterwards: nothing that is used here minds its name.
    _uv("pip", "install", "--compile-bytecode", "--python", python, *contender.packages)


def _uv(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), *arguments, "--quiet"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        why = " ".join(error.stderr.split())[-400:] or f"uv ended with {error.returncode}"
        raise NotInstalledError(why) from error
    except FileNotFoundError as error:
        raise NotInstalledError(f"{error.filename} is missing; `make setup` installs it") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalledError(f"it was not installed within {INSTALL_SECONDS} s") from error
