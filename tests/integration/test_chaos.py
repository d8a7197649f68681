"""The chaos run notices what it is there for. What it finds in the real operator, `make chaos` shows."""

from pathlib import Path

import pytest

from chaos.plan import plan_faults
from chaos.run import Run
from support.processes.broken_operators import live_with_random_names


@pytest.mark.timeout(420)
async def test_an_operator_that_doubles_is_found_out(tmp_path: Path) -> None:
    """Three of them, whose names of Jobs are no locks."""
    play = Run(
        seed=1,
        faults=plan_faults(1, 6),
        monitors=15,
        speed=10,
        folder=tmp_path / "chaos",
        entry=live_with_random_names,
    )

    outcome = await play.perform()

    assert outcome.findings.doubled
    assert not outcome.passes(faults=6)
