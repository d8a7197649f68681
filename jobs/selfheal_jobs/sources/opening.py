"""Opens the table at a place, for every type of source."""

from selfheal_jobs.sources.arrow_alone import spare_pandas
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.catalogue import source_of
from selfheal_jobs.sources.permitted import require_permitted
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.source import StoredData
from selfheal_jobs.sources.tables import SourceTable


def locate(place: Place) -> StoredData:
    """Return the data at a place; its files are listed here, and not again.

    Raises:
        DataError: There is no data (DataNotFound), access is denied (DataAccessDenied), or the server does
            not respond (DataUnreachable).
    """
    if place.has_address:
        require_permitted(place, place.source.uri)
    spare_pandas()
    return source_of(place).locate(place)


def open_table(place: Place, asked: Asked | None = None) -> SourceTable:
    """Return the table at a place.

    Raises:
        DataError: As `locate`; or it is not a table (DataUnreadable), or lacks the timestamps that its
            window needs (ColumnMissing).
    """
    return locate(place).open(asked or Asked())
