"""Evidently's count of drifted columns, by the same tests as its preset, without a report."""

import json
import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import DriftedColumnsCount


def main() -> None:
    """Compare."""
    reference_path, current_path, _ = sys.argv[1:]
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    definition = DataDefinition(
        numerical_columns=list(reference.select_dtypes("number")),
        categorical_columns=list(reference.select_dtypes(exclude="number")),
    )
    snapshot = Report([DriftedColumnsCount()]).run(
        Dataset.from_pandas(current, data_definition=definition),
        Dataset.from_pandas(reference, data_definition=definition),
    )
    (count,) = snapshot.dict()["metrics"]
    drifted, share = count["value"]["count"], count["value"]["share"]
    columns = round(drifted / share) if share else len(reference.columns)
    print(json.dumps({"columns": columns, "drifted": int(drifted)}))


if __name__ == "__main__":
    main()
