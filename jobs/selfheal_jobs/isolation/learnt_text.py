"""Which columns a fitted model of scikit-learn knows as text, by its encoders and imputers. Pure."""

from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator


def learnt_as_text(model: Any) -> set[str]:
    """Return the columns in which an encoder or an imputer of the model has seen text."""
    return {name for part in _parts(model) for name, seen in _seen(part) if _is_text(seen)}


def _parts(part: Any) -> Iterator[BaseEstimator]:
    """Yield the estimators that an estimator consists of, itself first."""
    if isinstance(part, BaseEstimator):
        yield part
    if isinstance(part, (BaseEstimator, list, tuple)):
        for inner in vars(part).values() if isinstance(part, BaseEstimator) else part:
            yield from _parts(inner)


def _seen(part: BaseEstimator) -> Iterator[tuple[str, Any]]:
    names = getattr(part, "feature_names_in_", ())
    yield from zip(names, getattr(part, "categories_", ()), strict=False)
    yield from zip(names, ([each] for each in getattr(part, "statistics_", ())), strict=False)


def _is_text(values: Any) -> bool:
    return any(isinstance(value, str) for value in values)
