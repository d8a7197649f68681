"""The parameters of a classifier that name classes of the target, read as these classes. Pure.

A manifest holds strings, so the class 0 and the class "0" are written alike, and YAML reads the class `no` as
False. What a word means is known only with the target: it is the class that is written like it.
"""

from typing import Any, Final

import pandas as pd
import yaml

from selfheal_operator.api.param_values import ParamError, param_value
from selfheal_operator.api.v1alpha1.retraining import Candidate

_WEIGHTS: Final = "class_weight"
_SINGLE: Final = ("constant", "outlier_label", "pos_label")


def class_params(candidate: Candidate, target: pd.Series) -> dict[str, Any]:
    """Return the candidate's parameters that name classes, with the classes themselves.

    A class without a weight has weight 1, as in scikit-learn, also where a part of the rows lacks the class.

    Raises:
        ParamError: A weight is for a class that the target does not have, or two are for the same one.
    """
    classes = {_written(value): value for value in pd.unique(target).tolist()}
    found: dict[str, Any] = {}
    if (text := candidate.params.get(_WEIGHTS)) is not None and isinstance(param_value(text), dict):
        found[_WEIGHTS] = _weights(candidate.name, text, classes)
    for name in _SINGLE:
        if (text := candidate.params.get(name)) is not None and (word := _key(text)) in classes:
            found[name] = classes[word]
    return found


def _weights(candidate: str, text: str, classes: dict[str, Any]) -> dict[Any, Any]:
    field = f"spec.retraining.candidates[name={candidate}].params.{_WEIGHTS}"
    weights = dict.fromkeys(classes.values(), 1.0)
    named: set[str] = set()
    for word, weight in zip(_keys(text), param_value(text).values(), strict=True):
        if word not in classes:
            shown = ", ".join(sorted(classes)[:10])
            raise ParamError(f"{field} names the class {word}; the target has the classes {shown}")
        if word in named:
            raise ParamError(f"{field} names the class {word} twice")
        named.add(word)
        weights[classes[word]] = weight
    return weights


def _keys(text: str) -> list[str]:
    """Return the keys of a YAML mapping as they are written, without quotes."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return [_key(str(key.value)) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _key(text: str) -> str:
    """Return how a class is written that a manifest writes so: 1.0 and 1 are one class, as are True and true.

    >>> [_key(text) for text in ("1.0", "1", "'1'", "yes", "True", "120330000000000001")]
    ['1', '1', '1', 'yes', 'true', '120330000000000001']
    """
    word = text.strip().strip("'\"")
    if word.lower() in ("true", "false"):
        return word.lower()
    whole = word.removesuffix(".0")
    return whole if whole.lstrip("+-").isdigit() else word


def _written(value: Any) -> str:
    return _key(str(value))
