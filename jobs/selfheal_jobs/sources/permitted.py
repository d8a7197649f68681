"""Which addresses a run may read: those that the platform team permits, and none that is link-local."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from selfheal_jobs.sources.place import Place
from selfheal_jobs.transport.forbidden_addresses import ForbiddenAddressError, require_resolved
from selfheal_operator.api.allowed_uris import is_allowed
from selfheal_operator.api.names import ENV_ALLOWED_URIS


def require_permitted(place: Place, uri: str) -> None:
    """Raise DataError for an address that matches none of the platform team's patterns.

    Args:
        place: The data source that leads there.
        uri: The address of the source, or another one on the way to it, such as that of a redirect.
    """
    patterns = [each.strip() for each in os.environ.get(ENV_ALLOWED_URIS, "").split(",") if each.strip()]
    if not is_allowed(uri, patterns):
        raise place.forbidden(f"{uri} matches none of the platform team's {ENV_ALLOWED_URIS}")


def require_endpoint(place: Place, uri: str, host: str) -> None:
    """Raise DataError for a server that is not permitted, by its address or by what its name stands for."""
    require_permitted(place, uri)
    with refusing(place):
        require_resolved(host)


@contextmanager
def refusing(place: Place) -> Iterator[None]:
    """Convert the refusal of a link-local address into a DataError about the place."""
    try:
        yield
    except OSError as error:
        refusal = getattr(error, "os_error", error)  # aiohttp wraps what happened while it connected
        if isinstance(refusal, ForbiddenAddressError):
            raise place.forbidden(str(refusal)) from None
        raise
