"""How a confined process sends its answers: JSON and plain arrays, never a pickle, which would run code.

Whatever is sent may be forged. The reader allocates no more than it allows, and takes only values.
"""

import io
import json
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

_LONGEST_HEADER: Final = 1_000_000
_PLAIN: Final = "biufUSMm"
"""Kinds of NumPy types whose arrays hold no Python objects."""


class ForgedAnswerError(ValueError):
    """What arrived is no answer."""


def send(stream: BinaryIO, header: Mapping[str, Any], values: Any = None) -> None:
    """Send a header, and an array of values if there is one."""
    body = b"" if values is None else _packed(values)
    text = json.dumps({**header, "bytes": len(body), "values": values is not None}).encode()
    stream.write(len(text).to_bytes(4, "big") + text + body)
    stream.flush()


def receive(stream: BinaryIO, most_bytes: int) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """Return the next header, and its values if there are any.

    Raises:
        EOFError: The sender has ended.
        ForgedAnswerError: It is no answer, or a larger one than allowed.
    """
    length = int.from_bytes(_exactly(stream, 4), "big")
    if length > _LONGEST_HEADER:
        raise ForgedAnswerError("the header is too long")
    try:
        header = json.loads(_exactly(stream, length))
        size, has_values = int(header["bytes"]), bool(header["values"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ForgedAnswerError("the header is not readable") from error
    if not 0 <= size <= most_bytes:
        raise ForgedAnswerError(f"the answer has {size} bytes, and at most {most_bytes} are allowed")
    body = _exactly(stream, size)
    return header, _unpacked(body) if has_values else None


def _exactly(stream: BinaryIO, count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError
    return found


def _packed(values: Any) -> bytes:
    array = np.asarray(values)
    if array.dtype.kind in _PLAIN:
        packed = io.BytesIO()
        np.save(packed, array, allow_pickle=False)
        return b"N" + packed.getvalue()
    flat = [_plain(value) for value in array.reshape(-1).tolist()]
    return b"J" + json.dumps({"shape": array.shape, "values": flat}).encode()


def _plain(value: Any) -> Any:
    """Return a value that JSON holds; any other object as its text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return None if _is_gap(value) else str(value)


def _is_gap(value: Any) -> bool:
    return type(value).__name__ in ("NAType", "NaTType")


def _unpacked(body: bytes) -> NDArray[Any]:
    try:
        if body[:1] == b"N":
            array: NDArray[Any] = np.load(io.BytesIO(body[1:]), allow_pickle=False)
            return array
        document = json.loads(body[1:])
        made = np.empty(len(document["values"]), dtype=object)
        made[:] = document["values"]
        return made.reshape([int(length) for length in document["shape"]])
    except (ValueError, KeyError, TypeError, OverflowError, MemoryError, RecursionError, EOFError) as error:
        raise ForgedAnswerError("the values are not readable") from error
