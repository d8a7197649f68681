"""What a retraining loads of both tables, and what it says of the rest."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfheal_jobs.retrain.retraining_data import RetrainingData, load_data
from selfheal_operator.api.reasons import Purpose
from support.builders.run_requests import run_request

ROWS = 200


def loaded(folder: Path, table: pd.DataFrame, **changed: Any) -> RetrainingData:
    """Return what is loaded of a reference, and of the same rows with other columns as the current data."""
    table.to_parquet(folder / "reference.parquet", index=False)
    table.assign(**changed).to_parquet(folder / "current.parquet", index=False)
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}
    return load_data(run_request(Purpose.RETRAIN, dataset=sides))


def rows(**more: Any) -> pd.DataFrame:
    """Return labelled rows with more columns."""
    random = np.random.default_rng(0)
    return pd.DataFrame({"x": random.normal(size=ROWS), "label": [0, 1] * (ROWS // 2)} | more)


def test_a_column_without_a_name_is_not_learnt_from(tmp_path: Path) -> None:
    """A model would learn from it, and MLflow would refuse every request."""
    data = loaded(tmp_path, rows(**{"": np.random.default_rng(1).normal(size=ROWS)}))

    assert data.layout.features == ("x",)
    assert "a column without a name is not learnt from: no request could hold it" in data.left_out


def test_labels_are_learnt_in_the_type_of_the_reference(tmp_path: Path) -> None:
    """Also where a file has them as text; the message says so."""
    data = loaded(tmp_path, rows(), label=["0", "1"] * (ROWS // 2))

    assert data.current["label"].dtype == "int64"
    assert any("is read as the reference's numbers" in said for said in data.left_out)


def test_numbers_that_no_model_can_hold_are_counted(tmp_path: Path) -> None:
    """They are learnt as gaps."""
    data = loaded(tmp_path, rows(), x=[1e39] * 2 + [0.5, 1.5] * (ROWS // 2 - 1))

    assert data.left_out == ("numbers beyond 3.4e+38 count as missing: 2 in 'x'",)
