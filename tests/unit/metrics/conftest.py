"""Instruments, and what a scrape would read from them."""

from collections.abc import Callable

import pytest
from prometheus_client import generate_latest

from selfheal_operator.metrics.instruments import Instruments
from support.scrapes import Scrape


@pytest.fixture
def instruments() -> Instruments:
    """Return new instruments."""
    return Instruments()


@pytest.fixture
def read(instruments) -> Callable[..., float | None]:
    """Return what reads a value by the name and labels of its series."""

    def read(name: str, **labels: str) -> float | None:
        return Scrape(generate_latest(instruments.registry).decode()).value(name, **labels)

    return read
