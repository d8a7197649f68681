import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.sources.sampling import Sample


def drawn(batches: list[int], size: int, seed: int = 7, *, foreseen: bool = False) -> list[int]:
    """Return the numbers of the rows in the sample."""
    sample = Sample(size, seed)
    if foreseen:
        sample.foresee(sum(batches))
    kept: list[np.ndarray] = []
    start = 0
    for count in batches:
        kept.append(np.flatnonzero(sample.offer(count)) + start)
        start += count
    rows = np.concatenate([np.empty(0, int), *kept])
    return [int(row) for row in rows[sample.final()]]


@given(
    cuts=st.lists(st.integers(0, 40), max_size=12),
    size=st.integers(1, 60),
    seed=st.integers(0, 2**40),
    foreseen=st.booleans(),
)
def test_a_sample_depends_on_rows_and_seed_alone(
    *, cuts: list[int], size: int, seed: int, foreseen: bool
) -> None:
    """Not on how the rows were cut into batches, nor on whether their number was known before."""
    rows = sum(cuts)

    found = drawn(cuts, size, seed, foreseen=foreseen)

    assert found == drawn([rows], size, seed)
    assert len(found) == min(rows, size)
    assert found == sorted(set(found))


def test_another_slot_draws_another_sample() -> None:
    """Rows that one check did not see have their chance in the next."""
    assert drawn([1000], 100, seed=1) != drawn([1000], 100, seed=2)


@pytest.mark.parametrize("foreseen", [True, False])
def test_every_row_has_the_same_chance(*, foreseen: bool) -> None:
    """Over many seeds each of ten rows is drawn in half of the samples of five."""
    counts = np.zeros(10)
    for seed in range(2000):
        counts[drawn([3, 7], 5, seed, foreseen=foreseen)] += 1

    assert counts.min() > 900
    assert counts.max() < 1100
