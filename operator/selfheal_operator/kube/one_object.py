"""Guards a loop over many objects: one that cannot be handled costs itself this turn, and no other."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from selfheal_operator.core.errors import SelfhealError
from selfheal_operator.metrics.instruments import Instruments

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def one_object(instruments: Instruments, resource: str, item: Any) -> Iterator[None]:
    """Log and count an unexpected error of the block, and go on after it. Errors of ours pass.

    Args:
        instruments: Count the object.
        resource: The plural of its resource.
        item: The object, or its namespace and name.
    """
    try:
        yield
    except SelfhealError:
        raise
    except Exception:
        instruments.object_skipped(resource)
        logger.exception("Object skipped", extra={"resource": resource, "object": _named(item)})


def _named(item: Any) -> str:
    """Return the namespace and the name, as far as they are there."""
    if isinstance(item, tuple):
        return "/".join(map(str, item))
    metadata = item.get("metadata") if isinstance(item, dict) else None
    found = metadata if isinstance(metadata, dict) else {}
    return f"{found.get('namespace')}/{found.get('name')}"
