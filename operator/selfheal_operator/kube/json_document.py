"""Reads JSON documents that nest deeper than Python's parser does.

Anybody who may write an object may have its managedFields nest as deep as the API server reads, which is
10,000 levels. Python 3.11 reads a thousand, and a list with one such object is the list of all tenants.
"""

import json
import re
from typing import Any, Final

DEEPEST: Final = 100
"""Far deeper than anything that is read of an object."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def parse(raw: bytes) -> Any:
    """Parse a document; what nests deeper than `DEEPEST` is read as null if all of it cannot be read.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return json.loads(raw)
    except RecursionError:
        return json.loads(shallow(raw))


def shallow(raw: bytes) -> bytes:
    """Return a document with null in place of what nests deeper than `DEEPEST`."""
    kept, start, depth = list[bytes](), 0, 0
    for token in _TOKEN.finditer(raw):
        if token[0] in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += (raw[start : token.start()], b"null")
        elif token[0] in b"]}":
            depth -= 1
            if depth == DEEPEST:
                start = token.end()
    return b"".join((*kept, raw[start:]))
