"""A reference large enough for a profile, whatever its size."""

import pytest

from selfheal_jobs.reference_profile import opening


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small references have a profile too."""
    monkeypatch.setattr(opening, "LEAST_BYTES", 0)
