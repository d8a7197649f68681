"""What a retraining is compared with: the same candidates, folds and fits by scikit-learn and MLflow alone.

`plain_script.py REFERENCE CURRENT MLFLOW NAME [CANDIDATE ...]` chooses by cross-validation on the current
rows, tries the winner with the reference too, scores it on held-out rows, fits it on all rows, logs and
registers it. It is started as a file, and imports nothing of selfheal.
"""

import sys
from typing import Any

import joblib
import mlflow
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 42


def candidates() -> dict[str, Any]:
    """Return the default candidates of a classification, unfitted."""
    forest = RandomForestClassifier(
        n_estimators=100, min_samples_leaf=0.0002, n_jobs=joblib.cpu_count(), random_state=SEED
    )
    linear = LogisticRegression(max_iter=1000, random_state=SEED)
    return {
        "linear": make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), linear),
        "forest": make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), forest),
        "boosting": HistGradientBoostingClassifier(random_state=SEED),
    }


def cross_validated(model: Any, rows: pd.DataFrame, older: pd.DataFrame) -> float:
    """Return the mean f1_macro over three folds; the older rows are in every training part."""
    scores = []
    folds = StratifiedKFold(3, shuffle=True, random_state=SEED)
    for train, test in folds.split(rows, rows["label"]):
        learnt = pd.concat([older, rows.iloc[train]])
        fitted = clone(model).fit(learnt.drop(columns="label"), learnt["label"])
        scores.append(score(fitted, rows.iloc[test]))
    return float(np.mean(scores))


def score(model: Any, rows: pd.DataFrame) -> float:
    """Return f1_macro."""
    return float(f1_score(rows["label"], model.predict(rows.drop(columns="label")), average="macro"))


def main() -> None:
    """Run the script."""
    reference, current, uri, name, *wanted = sys.argv[1:]
    older, rows = pd.read_parquet(reference), pd.read_parquet(current)
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(name)
    with mlflow.start_run():
        train, test = train_test_split(rows, test_size=0.2, stratify=rows["label"], random_state=SEED)
        scores = {}
        models = {each: model for each, model in candidates().items() if each in wanted or not wanted}
        for each, model in models.items():
            with mlflow.start_run(nested=True, run_name=each):
                scores[each] = cross_validated(model, train, older.head(0))
                mlflow.log_metric("f1_macro", scores[each])
        best = max(scores, key=scores.__getitem__)
        if cross_validated(models[best], train, older) > scores[best]:
            train = pd.concat([older, train])
        fitted = clone(models[best]).fit(train.drop(columns="label"), train["label"])
        mlflow.log_metric("f1_macro", score(fitted, test))
        everything = pd.concat([train, test])
        features = everything.drop(columns="label")
        final = clone(models[best]).fit(features, everything["label"])
        mlflow.sklearn.log_model(
            final,
            name="model",
            signature=mlflow.models.infer_signature(features.head(100), final.predict(features.head(100))),
            input_example=features.head(5),
            pip_requirements=["scikit-learn", "pandas"],
            serialization_format="cloudpickle",
            registered_model_name=name,
        )
    print(f"{best} has f1_macro {scores[best]:.4f}", scores)


if __name__ == "__main__":
    main()
