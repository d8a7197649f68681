"""Evidently's DataDriftPreset, with its report saved as HTML."""

import json
import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def main() -> None:
    """Compare, and save the report."""
    reference_path, current_path, output = sys.argv[1:]
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    definition = DataDefinition(
        numerical_columns=list(reference.select_dtypes("number")),
        categorical_columns=list(reference.select_dtypes(exclude="number")),
    )
    snapshot = Report([DataDriftPreset()]).run(
        Dataset.from_pandas(current, data_definition=definition),
        Dataset.from_pandas(reference, data_definition=definition),
    )
    snapshot.save_html(output)
    count, *columns = snapshot.dict()["metrics"]
    print(json.dumps({"columns": len(columns), "drifted": int(count["value"]["count"])}))


if __name__ == "__main__":
    main()
