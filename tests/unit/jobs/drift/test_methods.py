"""What every method has to say of itself, wherever it is added."""

import doctest
from typing import get_args

import pytest

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.methods.catalogue import METHODS
from selfheal_jobs.drift.methods.method import Method
from selfheal_operator.api.drift_methods import AnyMethod, CategoricalMethod, NumericalMethod


def ids(kind: Kind) -> set[str]:
    """Return the ids of the methods that compare columns of a kind."""
    return {each.id for each in METHODS.values() if kind in each.kinds}


def test_the_api_accepts_the_methods_that_there_are_and_no_others() -> None:
    """A spec that the API server accepts names a method that exists, and each can be named."""
    assert set(get_args(AnyMethod)) == METHODS.keys()
    assert set(get_args(NumericalMethod)) == ids(Kind.NUMERICAL)
    assert set(get_args(CategoricalMethod)) == ids(Kind.CATEGORICAL)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_has_a_worked_example(method: Method) -> None:
    """In the docstring of its score, where a test runs it."""
    (found,) = doctest.DocTestFinder().find(method.score, globs={})

    assert any("score(" in example.source and example.want for example in found.examples)


def test_only_p_values_can_be_calibrated() -> None:
    """The rule Calibrated compares them with a significance level."""
    assert all(each.is_p_value for each in METHODS.values() if each.calibrated)
