"""The synthetic set is what the issue of drift is measured against: nothing to find."""

from pathlib import Path

import numpy as np

from demo.datasets.synthetic import CURRENT_ROWS, FEATURES, NOISE, REFERENCE_ROWS, TARGET, main, synthetic


def test_it_has_the_promised_shape() -> None:
    """100,000 rows of five features and a label, and 500 current rows."""
    reference, current, _ = synthetic()

    assert (len(reference), len(current)) == (REFERENCE_ROWS, CURRENT_ROWS) == (100_000, 500)
    assert list(reference.columns) == list(current.columns)
    assert len(reference.columns) == FEATURES + 1 == 6
    assert set(reference[TARGET]) == {0, 1}


def test_the_label_is_a_coin_that_no_feature_knows() -> None:
    """No feature correlates with the label by more than four standard errors of chance."""
    reference, _, _ = synthetic()

    correlations = reference.corr()[TARGET].drop(TARGET).abs()

    assert correlations.max() < 4 / np.sqrt(len(reference))


def test_current_rows_are_reference_rows_with_a_little_noise() -> None:
    """Each current row lies near a row of the reference that has its label."""
    reference, current, _ = synthetic()
    known = reference.drop(columns=TARGET).to_numpy()

    distances = [np.linalg.norm(known - row, axis=1).min() for row in current.drop(columns=TARGET).to_numpy()]

    assert 0 < np.mean(distances) < 3 * NOISE * np.sqrt(FEATURES)


def test_the_same_seed_makes_the_same_rows() -> None:
    """Every demo sees the same data; another seed makes other data."""
    first, again, other = synthetic()[1], synthetic()[1], synthetic(seed=1)[1]

    assert first.equals(again)
    assert not first.equals(other)


def test_it_can_write_its_tables_alone(tmp_path: Path) -> None:
    """As a program it writes what a monitor compares."""
    main(tmp_path / "synthetic")

    assert sorted(path.name for path in (tmp_path / "synthetic").iterdir()) == [
        "current.parquet",
        "reference.parquet",
    ]
