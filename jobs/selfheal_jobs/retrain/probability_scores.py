"""Scores of a classifier's probabilities: Brier score and log loss. Pure."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics


def probability_scores(classes: Any, probabilities: Any, actual: pd.Series) -> dict[str, float]:
    """Return brier_score and log_loss, of which lower is better; nothing where they are not defined.

    A row of a class that the model does not know has no probability, so neither is defined then. The Brier
    score of two classes is between 0 and 1, of more classes between 0 and 2, as in scikit-learn.

    Args:
        classes: The classes, in the order of the columns.
        probabilities: Rows by classes; each row adds up to 1.
        actual: The labels.
    """
    known = list(classes)
    if len(known) < 2 or not set(actual) <= set(known) or not np.isfinite(probabilities).all():
        return {}
    if len(known) == 2:
        happened = actual.to_numpy() == known[1]
        brier = metrics.brier_score_loss(happened, np.clip(probabilities[:, 1], 0, 1))
    else:
        brier = metrics.brier_score_loss(actual, probabilities, labels=known)
    loss = metrics.log_loss(actual, probabilities, labels=known)
    return {"brier_score": float(brier), "log_loss": float(loss)}
