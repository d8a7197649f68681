import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.named_columns import missing_target, require_named_columns
from selfheal_operator.api.reasons import Reason
from support.builders.run_requests import run_request


def spec(target="label", drift=None, retraining=None, **dataset):
    """Return a spec with such a dataset."""
    sides = {side: {"uri": "/data"} for side in ("reference", "current")}
    more = {"drift": drift} if drift else {}
    more |= {"retraining": retraining} if retraining else {}
    return run_request(dataset=sides | dataset, target=target, **more).spec


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"columns": {"prediction": "scor"}}, "spec.dataset.columns.prediction"),
        ({"columns": {"timestamp": "scor"}}, "spec.dataset.columns.timestamp"),
        ({"columns": {"exclude": ["score", "scor"]}}, "spec.dataset.columns.exclude"),
        ({"columns": {"categorical": ["scor"]}}, "spec.dataset.columns.categorical"),
        ({"labels": {"uri": "/labels", "joinColumn": "scor"}}, "spec.dataset.labels.joinColumn"),
        ({"drift": {"columns": [{"name": "scor", "method": "ks"}]}}, "spec.drift.columns"),
        ({"target": "scor"}, "spec.target"),
    ],
)
def test_every_field_that_names_a_column_is_held_against_the_data(asked, field):
    """It says which field, and the nearest name of either side."""
    with pytest.raises(DataError) as caught:
        require_named_columns(spec(**asked), ["age", "label"], ["age", "score"])

    assert caught.value.reason is Reason.COLUMN_MISSING
    assert str(caught.value).startswith(f"{field} names 'scor', which neither")
    assert "did you mean 'score'?" in str(caught.value)


def test_a_column_of_one_side_is_no_mistake():
    """Predictions are in the current data only, and a key may be, too."""
    asked = spec(columns={"prediction": "score", "exclude": ["key"]})

    require_named_columns(asked, ["age", "key", "label"], ["age", "score"])


def test_a_prediction_that_is_the_target_is_a_mistake():
    """The API server refuses it; an older object may have it."""
    with pytest.raises(DataError) as caught:
        require_named_columns(spec(columns={"prediction": "label"}), ["label"], ["label"])

    assert caught.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize(
    "asked",
    [{"retraining": {"mode": "Disabled"}}, {"labels": {"uri": "/labels", "joinColumn": "id"}}],
)
def test_a_target_of_no_side_is_no_mistake_where_nothing_learns_it_from_them(asked):
    """Nothing is retrained, or labels bring the target."""
    require_named_columns(spec(target="lable", **asked), ["id"], ["id"])


def test_a_target_of_no_side_is_remarked_on_where_it_is_no_mistake():
    """Unless labels arrive later: they bring it."""
    assert missing_target(spec(target="lable"), ["label"], ["age"]) == (
        "no side has the target 'lable' (did you mean 'label'?)"
    )
    assert missing_target(spec(), ["label"], []) is None
    assert missing_target(spec(labels={"uri": "/labels", "joinColumn": "id"}), ["id"], ["id"]) is None
