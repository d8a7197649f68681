"""Waiting in tests, never without a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


def eventually(condition: Callable[[], T], what: str, *, timeout_seconds: float = 60) -> T:
    """Return the first answer that is not false, or fail saying what did not happen."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.1)
    pytest.fail(f"not within {timeout_seconds} s: {what}")
