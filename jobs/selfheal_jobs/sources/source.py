"""What a source is: how the data at a place is found, told from other data, and read."""

from typing import Protocol

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.identity import Identity
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tables import SourceTable


class StoredData(Protocol):
    """The data at one place, listed once."""

    def identity(self, *, least_bytes: int = 0) -> Identity | None:
        """Return which data this is; None where that cannot be told without reading it.

        Args:
            least_bytes: For less data the answer is None as well, and no file of it is opened.
        """

    def open(self, asked: Asked) -> SourceTable:
        """Return the table; raise DataError if it cannot be read."""


class Source(Protocol):
    """One type of source. How its addresses look is in `SOURCE_TYPES` of the API, whose CEL rules need it."""

    def locate(self, place: Place) -> StoredData:
        """Return the data at a place; raise DataError if there is none."""

    def explain(self, place: Place, error: Exception) -> DataError:
        """Return what an error means that this source's library or server raised, by who has to act."""
