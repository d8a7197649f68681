import pytest

from selfheal_jobs.retrain.cross_validation import choose
from selfheal_jobs.retrain.search import Progress, Searched, search
from selfheal_operator.api.v1alpha1.retraining import Candidate, Search
from support.builders.training_sets import training_set, two_classes

NEIGHBORS = Candidate(
    name="neighbors", estimator="sklearn.neighbors.KNeighborsClassifier", params={"n_neighbors": "150"}
)
FREE = NEIGHBORS.replaced(params={})
BAD_TREES = Candidate(
    name="boosting",
    estimator="sklearn.ensemble.HistGradientBoostingClassifier",
    params={"max_iter": "5", "min_samples_leaf": "90"},
)
ROWS = training_set(two_classes(200, noise=1.5))


def found(*candidates: Candidate, trials: int = 8, timeout: int = 600) -> tuple[Searched, list[Progress]]:
    """Return what a search finds, and the progress that it tells."""
    told: list[Progress] = []
    rules = Search(trials=trials, timeout_seconds=timeout)
    return search(choose(candidates, ROWS), candidates, rules, told.append), told


def test_a_search_finds_better_parameters() -> None:
    """The winner is a candidate as a manifest would write it."""
    before = choose([FREE], ROWS)

    searched, told = found(FREE)

    choice = searched.choice
    assert choice.winner is not None
    assert choice.winner.name == "neighbors"
    assert choice.scores["neighbors"] > before.scores["neighbors"]
    assert choose([choice.winner], ROWS).scores == choice.scores
    assert searched.trials == 8
    assert [each.trial for each in told] == list(range(1, 9))
    assert told[-1].best == choice.scores["neighbors"]


def test_a_search_repeats_itself() -> None:
    """With the same number of trials, the same parameters are found."""
    assert found(FREE)[0].choice.winner == found(FREE)[0].choice.winner


def test_parameters_of_the_manifest_stay() -> None:
    """Only free ones are searched."""
    winner = found(BAD_TREES, trials=4)[0].choice.winner

    assert winner is not None
    assert {name: winner.params[name] for name in BAD_TREES.params} == BAD_TREES.params


def test_without_free_parameters_there_is_nothing_to_search() -> None:
    """The choice is as it was."""
    searched, told = found(NEIGHBORS)

    assert searched.choice.winner == NEIGHBORS
    assert (searched.trials, told) == (0, [])


def test_progress_that_cannot_be_told_does_not_end_the_search() -> None:
    """MLflow may be away for a moment."""

    def refuse(_: Progress) -> None:
        raise OSError("away")

    searched = search(choose([FREE], ROWS), [FREE], Search(trials=2), refuse)

    assert searched.trials == 2


@pytest.mark.parametrize("field", ["trials", "timeoutSeconds"])
def test_the_fields_are_bounded(field: str) -> None:
    """A search of no trial, or of no time, is a mistake."""
    with pytest.raises(Exception, match=field):
        Search.from_wire({field: 0})
