from typing import Any

import pandas as pd
import pytest

from selfheal_jobs.retrain.class_params import class_params
from selfheal_operator.api.param_values import ParamError
from selfheal_operator.api.v1alpha1.retraining import Candidate


def weights(text: str, *classes: Any) -> Any:
    """Return the class weights that a manifest's text means for a target of these classes."""
    candidate = Candidate(name="linear", estimator="x", params={"class_weight": text})
    return class_params(candidate, pd.Series(classes * 2)).get("class_weight")


@pytest.mark.parametrize(
    ("text", "classes", "meant"),
    [
        ("{0: 1, 1: 5}", (0, 1), {0: 1, 1: 5}),
        ('{"0": 1, "1": 5}', (0, 1), {0: 1, 1: 5}),
        ("{0: 1, 1: 5}", ("0", "1"), {"0": 1, "1": 5}),
        ("{0: 1, 1: 5}", (0.0, 1.0), {0.0: 1, 1.0: 5}),
        ("{no: 1, yes: 5}", ("no", "yes"), {"no": 1, "yes": 5}),
        ("{true: 5}", (True, False), {True: 5, False: 1.0}),
        ("{120330000000000001: 2}", (120_330_000_000_000_001, 7), {120_330_000_000_000_001: 2, 7: 1.0}),
    ],
)
def test_keys_are_read_as_classes_of_the_target(text: str, classes: tuple[Any, ...], meant: Any) -> None:
    """By how they are written: YAML reads no as False, and JSON's keys are text."""
    found = weights(text, *classes)

    assert found == meant
    assert [type(each) for each in found] == [type(each) for each in classes]


def test_balanced_stays_a_word() -> None:
    """It names no class."""
    assert weights("balanced", 0, 1) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{2: 5}", r"class_weight names the class 2; the target has the classes 0, 1"),
        ('{0: 1, "0": 2}', "class_weight names the class 0 twice"),
    ],
)
def test_a_weight_of_no_class_is_refused(text: str, said: str) -> None:
    """The sentence names the field and the classes that there are."""
    with pytest.raises(ParamError, match=said):
        weights(text, 0, 1)


def test_a_constant_is_a_class_of_the_target() -> None:
    """DummyClassifier would take the number 1 for another class than the word."""
    candidate = Candidate(name="c", estimator="x", params={"constant": "1"})

    assert class_params(candidate, pd.Series(["0", "1"])) == {"constant": "1"}
