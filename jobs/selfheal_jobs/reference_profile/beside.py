"""A profile in a file of its own, beside the data that it is of: hidden, so that nobody takes it for data."""

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selfheal_jobs.redaction import one_line
from selfheal_jobs.reference_profile.profile import MOST_BYTES

logger = logging.getLogger(__name__)

_READABLE: Final = 0o640
"""By whoever may read the volume through its group (fsGroup), and nobody else: it holds values."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Where one profile is."""

    path: Path

    @classmethod
    def of(cls, folder: Path, key: str) -> "Beside":
        """Return the place in the data's folder for what is asked of it, told by a key."""
        return cls(folder / f".selfheal-{key[:16]}.profile")

    def read(self) -> bytes | None:
        """Return the document; None if there is none, or none that can be read."""
        try:
            with self.path.open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.info("The reference's profile cannot be read (%s)", one_line(error))
            return None

    def is_writable(self) -> bool:
        """Return whether a document can be put here: many volumes of data are mounted read-only."""
        return os.access(self.path.parent, os.W_OK | os.X_OK)

    def write(self, document: bytes) -> None:
        """Put the document there, whole or not at all: two checks that write at once do no harm.

        Raises:
            OSError: It cannot be written.
        """
        # What a killed container leaves of this begins with a dot as well.
        handle, name = tempfile.mkstemp(prefix=".selfheal-", suffix=".tmp", dir=self.path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(document)
                os.fchmod(file.fileno(), _READABLE)
            Path(name).replace(self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
