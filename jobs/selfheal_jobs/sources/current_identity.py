"""Tells whether a retraining would find other rows than one before: the identity of the current data.

It is determined before the data is read. Data that is written meanwhile thus belongs to a later identity, and
a check that follows sees that there is something new.
"""

import hashlib
import logging
from typing import Final

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.opening import locate
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.source import StoredData
from selfheal_operator.api.model import format_time
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

_DIGITS: Final = 32
"""Hexadecimal ones, 128 bits: two different listings do not share them by chance."""


def identity_of_current(request: RunRequest, current: StoredData | None = None) -> str | None:
    """Return the identity of the current data and of its labels; None if it cannot be determined.

    With a window, rows come into sight by the mere passing of time: then the slot is a part of it.

    Args:
        request: The request of the run.
        current: The current data, if it has already been located.
    """
    dataset = request.spec.dataset
    try:
        found = [current or locate(Place.of_current(request.spec))]
        if dataset.labels is not None:
            found.append(locate(Place.of_labels(dataset.labels)))
    except DataError as problem:  # opening it tells, where it is needed
        logger.debug("The current data has no identity: %s", problem)
        return None
    identities = [each.identity() for each in found]
    if any(each is None for each in identities):
        return None
    parts = [each.digest for each in identities if each is not None]
    if dataset.window is not None:
        parts.append(format_time(request.slot))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGITS]
