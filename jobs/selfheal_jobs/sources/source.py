"""The interface of a data source: it locates, identifies and reads the data at a place."""

from typing import Protocol

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.identity import Identity
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tables import SourceTable


class StoredData(Protocol):
    """The data at one place, whose files have been listed."""

    def identity(self, *, least_bytes: int = 0) -> Identity | None:
        """Return the identity of the data; None if it cannot be determined without reading the data.

        Args:
            least_bytes: For fewer bytes return None without opening a file.
        """

    def open(self, asked: Asked) -> SourceTable:
        """Return the table; raise DataError if it cannot be read."""


class Source(Protocol):
    """One type of source. The API defines its addresses in `SOURCE_TYPES`, for the CEL rules of the CRD."""

    def locate(self, place: Place) -> StoredData:
        """Return the data at a place; raise DataError if there is none."""

    def explain(self, place: Place, error: Exception) -> DataError:
        """Return the DataError for an error of this source's library or server."""
