"""Stores a profile in a hidden file in the folder of its data; hidden files are not read as data."""

import logging
import os
import tempfile
from pathlib import Path
from typing import Final

from msgspec import Struct

from selfheal_jobs.redaction import one_line
from selfheal_jobs.reference_profile.profile import MOST_BYTES

logger = logging.getLogger(__name__)

_READABLE: Final = 0o640
"""Readable by the volume's group (fsGroup) but not by others, since the profile contains values."""


class Beside(Struct, frozen=True):
    """The file of one profile."""

    path: Path

    @classmethod
    def of(cls, folder: Path, key: str) -> "Beside":
        """Return the file in the data's folder for a request, which the key identifies."""
        return cls(folder / f".selfheal-{key[:16]}.profile")

    def read(self) -> bytes | None:
        """Return the document; None if it does not exist or cannot be read."""
        try:
            if not self.path.is_file():  # opening a named pipe would wait for a writer
                return None
            with self.path.open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.info("The reference's profile cannot be read (%s)", one_line(error))
            return None

    def is_writable(self) -> bool:
        """Return whether the folder is writable: many volumes of data are mounted read-only."""
        return os.access(self.path.parent, os.W_OK | os.X_OK)

    def write(self, document: bytes) -> None:
        """Write the document atomically, so that concurrent checks cannot corrupt it.

        Raises:
            OSError: It cannot be written.
        """
        # The name begins with a dot, so that a file left by a killed container is not read as data either.
        handle, name = tempfile.mkstemp(prefix=".selfheal-", suffix=".tmp", dir=self.path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(document)
                os.fchmod(file.fileno(), _READABLE)
            Path(name).replace(self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
