"""The champion, recalibrated: a candidate that corrects the answers of the present version.

Where only the inputs have shifted, a recalibration is often all that is needed, and a refit would only add
variance (Davis et al., A nonparametric updating method to correct clinical prediction model drift, JAMIA
2019). It costs one prediction per row.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from selfheal_jobs.retrain.features import SELECTION, selection
from selfheal_operator.api.reasons import Task

NAME: Final = "champion-recalibrated"

_ISOTONIC_ROWS: Final = 1_000
"""With fewer rows, isotonic calibration overfits: scikit-learn's user guide, 1.16.3."""

_FEWEST_FOLDS: Final = 2
"""The champion is frozen: folds fit nothing and only ask it, so that their number changes no answer."""


class RecalibratedChampion(Struct, frozen=True, kw_only=True):
    """A candidate made of the champion, whose own fit stays as it is, and a correction of its answers.

    It may only compete where the champion has learnt none of the rows that candidates are scored on:
    otherwise its scores would be too good. Its caller has to see to that.
    """

    model: Any
    """The champion as scikit-learn's flavor loads it; takes the rows of the training set."""
    name: str = NAME
    estimator: str = "the champion, recalibrated"
    params: Mapping[str, str] = field(default_factory=dict)

    def estimator_for(self, task: Task, *, rows: int) -> BaseEstimator:
        """Return the unfitted correction: isotonic or Platt for classes, affine for quantities."""
        frozen = FrozenEstimator(self.model)
        if task is Task.REGRESSION:
            stacked = [("champion", frozen)]
            return StackingRegressor(stacked, final_estimator=LinearRegression(), cv="prefit")
        method = "isotonic" if rows >= _ISOTONIC_ROWS else "sigmoid"
        return CalibratedClassifierCV(frozen, method=method, cv=_FEWEST_FOLDS)


def recalibrated(champion: Any, task: Task, names: Sequence[str] | None) -> RecalibratedChampion | None:
    """Return the champion as a candidate; None if it cannot be recalibrated.

    Needed are a scikit-learn model of the task, and probabilities or a decision function for classes.

    Args:
        champion: The model as scikit-learn's flavor loads it.
        task: The monitor's.
        names: The columns of the champion's signature, which must be among those that are learnt from; None
            if it has no signature.
    """
    model = _without_correction(champion)
    offered = {Task.CLASSIFICATION: ("predict_proba", "decision_function"), Task.REGRESSION: ("predict",)}
    if not hasattr(model, "fit") or not any(hasattr(model, name) for name in offered[task]):
        return None
    if (is_classifier(model), is_regressor(model)) != (
        task is Task.CLASSIFICATION,
        task is Task.REGRESSION,
    ):
        return None
    return RecalibratedChampion(model=model if names is None else _given(list(names), model))


def _given(names: list[str], model: Any) -> Any:
    """Return the model behind a selection of its columns; the steps of a selection are not stacked."""
    if isinstance(model, Pipeline) and model.steps[0][0] == SELECTION:
        return model
    return Pipeline([(SELECTION, selection(names)), ("model", model)])


def _without_correction(champion: Any) -> Any:
    """Return the model inside a champion that is a recalibrated one itself."""
    correction = champion.steps[-1][1] if isinstance(champion, Pipeline) else champion
    inner = getattr(correction, "estimator", None)
    if isinstance(correction, StackingRegressor):
        inner = correction.estimators[0][1]
    return inner.estimator if isinstance(inner, FrozenEstimator) else champion
