import pandas as pd

from selfheal_jobs.retrain.examination import Examination
from selfheal_operator.api.reasons import Task


def test_answers_are_compared_within_a_slice_that_has_none_of_their_classes() -> None:
    """Whether a model's answers are classes of the target is a question for all rows, not for each slice."""
    rows = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50})
    labels = pd.Series(["no"] * 50 + ["yes"] * 50)
    examination = Examination(target=labels, task=Task.CLASSIFICATION, together=None, seed=0)

    found = examination.slices(rows, ["plan"], winner=labels, champion=["no"] * 100)

    assert [(each.name, each.champion.sum(axis=0)[0]) for each in found] == [("plan=a", 50), ("plan=b", 0)]
