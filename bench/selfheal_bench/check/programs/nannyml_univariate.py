"""NannyML's univariate drift: Kolmogorov-Smirnov and chi-squared, in its ten chunks, without a plot."""

import json
import sys

import nannyml
import pandas as pd


def main() -> None:
    """Compare."""
    reference_path, current_path, _ = sys.argv[1:]
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        treat_as_categorical=list(reference.select_dtypes(exclude="number")),
        continuous_methods=["kolmogorov_smirnov"],
        categorical_methods=["chi2"],
    )
    calculator.fit(reference)
    found = calculator.calculate(current).filter(period="analysis").to_df()
    alerts = found.loc[:, found.columns.get_level_values(-1) == "alert"]
    print(json.dumps({"columns": alerts.shape[1], "drifted": int(alerts.any().sum())}))


if __name__ == "__main__":
    main()
