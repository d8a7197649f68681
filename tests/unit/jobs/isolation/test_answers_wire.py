"""What a confined process sends arrives as values, and nothing that is forged harms the reader."""

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.isolation.answers_wire import ForgedAnswerError, receive, send

MOST = 10_000_000


def _arrived(values: Any) -> Any:
    stream = io.BytesIO()
    send(stream, {}, values)
    stream.seek(0)
    return receive(stream, MOST)[1]


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, -(2**63)]),
        np.array([0.5, np.nan, np.inf]),
        np.array(["yes", "nein"]),
        np.array([True, False]),
        np.array([[0.1, 0.9], [0.8, 0.2]]),
        np.array([2**70, 1], dtype=object),
        np.array(["a", None, 1.5, True], dtype=object),
        np.array(["2026-11-23"], dtype="datetime64[s]"),
        np.array([]),
    ],
)
def test_an_array_arrives_with_its_type_and_shape(values: Any) -> None:
    """Numbers, words, gaps and truth values arrive as they were sent."""
    found = _arrived(values)

    assert (found.dtype, found.shape) == (values.dtype, values.shape)
    np.testing.assert_array_equal(found, values)


def test_a_gap_of_pandas_arrives_as_none() -> None:
    """pd.NA and pd.NaT are gaps, and other objects arrive as their text."""
    sent = np.array([pd.NA, pd.NaT, Path("x")], dtype=object)

    assert _arrived(sent).tolist() == [None, None, "x"]


def _framed(header: Any, body: bytes = b"") -> io.BytesIO:
    text = json.dumps(header).encode()
    return io.BytesIO(len(text).to_bytes(4, "big") + text + body)


class _Bomb:
    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was loaded",)


def test_a_pickle_is_not_loaded() -> None:
    """An array that holds pickled objects is refused, and so are a pickle's own bytes."""
    packed = io.BytesIO()
    np.save(packed, np.array([_Bomb()], dtype=object), allow_pickle=True)

    for body in (b"N" + packed.getvalue(), b"N" + pickle.dumps(_Bomb()), b"J" + pickle.dumps(_Bomb())):
        stream = _framed({"bytes": len(body), "values": True}, body)
        with pytest.raises(ForgedAnswerError):
            receive(stream, MOST)


@pytest.mark.parametrize("size", [-1, MOST + 1, 10**30, "x", None])
def test_a_size_beyond_the_limit_is_refused_before_it_is_read(size: Any) -> None:
    """A forged size allocates nothing."""
    with pytest.raises(ForgedAnswerError):
        receive(_framed({"bytes": size, "values": True}), MOST)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_one_of_two_errors(data: bytes) -> None:
    """Bytes of any kind are no answer, or the sender's end."""
    with pytest.raises((ForgedAnswerError, EOFError)):
        receive(io.BytesIO(data), MOST)


@given(st.binary(max_size=300), st.sampled_from([b"N", b"J", b""]))
def test_a_body_of_any_bytes_is_no_answer(data: bytes, kind: bytes) -> None:
    """A right header does not make its body right."""
    body = kind + data
    try:
        receive(_framed({"bytes": len(body), "values": True}, body), MOST)
    except ForgedAnswerError:
        return
    assert body[:1] in {b"J", b"N"}
