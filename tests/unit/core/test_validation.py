from dataclasses import replace
from typing import Any, get_args

import msgspec
import pytest

from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.promotion import METRICS, Metric
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.validation import LARGEST_SPEC_BYTES, rules_of
from support.builders.objects import DEFAULTS, NOON, monitor, spec, spec_document, status


def problem(
    *estimators: str, params=None, task=None, inferred=None, defaults=DEFAULTS, **fields
) -> str | None:
    """Return what is wrong with a spec that names these estimators."""
    candidates = [
        {"name": f"c{number}", "estimator": estimator, "params": params or {}}
        for number, estimator in enumerate(estimators)
    ]
    document = spec_document(task=task, retraining={"candidates": candidates}, **fields)
    try:
        rules_of(monitor(document, status(task=inferred, target=inferred and "churned")), defaults)
    except InvalidSpecError as error:
        return str(error)
    return None


FOREST = "sklearn.ensemble.RandomForestClassifier"
RIDGE = "sklearn.linear_model.Ridge"
TUNED = "sklearn.model_selection.TunedThresholdClassifierCV"
CODED = "sklearn.multiclass.OutputCodeClassifier"
MAX_FEATURES = "an integer in [1, inf), a float in (0, 1], log2, sqrt or null"
HERE = "spec.retraining.candidates[name=c0]"


@pytest.mark.parametrize(
    ("case", "given", "expected"),
    [
        ("no candidates: the defaults", {"estimators": []}, None),
        ("a classifier, before the task is known", {"estimators": [FOREST]}, None),
        ("a regressor, before the task is known", {"estimators": [RIDGE]}, None),
        ("a classifier, for classification", {"estimators": [FOREST], "task": "Classification"}, None),
        (
            "a regressor, for classification",
            {"estimators": [RIDGE], "task": "Classification"},
            f"{HERE}.estimator: {RIDGE} is not a classifier of scikit-learn",
        ),
        (
            "a classifier, where the first check has found regression",
            {"estimators": [FOREST], "inferred": Task.REGRESSION},
            (
                f"{HERE}.estimator: {FOREST} is not a regressor of scikit-learn; "
                "did you mean sklearn.ensemble.RandomForestRegressor?"
            ),
        ),
        (
            "the task of the spec counts, not the inferred one",
            {"estimators": [FOREST], "task": "Classification", "inferred": Task.REGRESSION},
            None,
        ),
        (
            "a slip of the pen",
            {"estimators": ["sklearn.ensemble.RandomForrestClassifier"]},
            (
                f"{HERE}.estimator: sklearn.ensemble.RandomForrestClassifier is not a classifier or "
                f"regressor of scikit-learn; did you mean {FOREST}?"
            ),
        ),
        (
            "the short name",
            {"estimators": ["LogisticRegression"], "task": "Classification"},
            (
                f"{HERE}.estimator: LogisticRegression is not a classifier of scikit-learn; "
                "did you mean sklearn.linear_model.LogisticRegression?"
            ),
        ),
        (
            "nothing like it: no suggestion, and above all no import",
            {"estimators": ["os.system"]},
            f"{HERE}.estimator: os.system is not a classifier or regressor of scikit-learn",
        ),
        (
            "a parameter with a slip",
            {"estimators": [FOREST], "params": {"n_estimator": "10"}},
            f"{HERE}.params: {FOREST} has no parameter n_estimator; did you mean n_estimators?",
        ),
        (
            "a parameter of another estimator",
            {"estimators": [RIDGE], "params": {"n_estimators": "10"}},
            f"{HERE}.params: {RIDGE} has no parameter n_estimators",
        ),
        (
            "an estimator inside another one",
            {"estimators": [TUNED], "params": {"estimator": "'sklearn.linear_model.LogisticRegression'"}},
            None,
        ),
        (
            "an unknown estimator inside another one",
            {"estimators": [TUNED], "task": "Classification", "params": {"estimator": "os.system"}},
            f"{HERE}.params.estimator: os.system is not a classifier of scikit-learn",
        ),
        *(
            (
                "an estimator that needs another one, without it",
                {"estimators": [TUNED], "task": "Classification", "params": params},
                (
                    f"{HERE}.params.estimator: {TUNED} needs another estimator; "
                    "name a classifier of scikit-learn"
                ),
            )
            for params in ({}, {"estimator": "null"})
        ),
        (
            "an estimator that needs another one, inside another one",
            {"estimators": [TUNED], "params": {"estimator": CODED}},
            f"{HERE}.params.estimator: {CODED} needs another estimator itself; name one that needs none",
        ),
        (
            "an estimator that may hold another one, without it",
            {"estimators": ["sklearn.ensemble.AdaBoostClassifier"], "params": {"estimator": "null"}},
            None,
        ),
        ("LightGBM", {"estimators": ["lightgbm.LGBMRegressor"], "params": {"num_leaves": "15"}}, None),
        ("parameters that are there", {"estimators": [FOREST], "params": {"max_depth": "null"}}, None),
        *(
            (
                "a value that scikit-learn would refuse in each fit",
                {"estimators": [estimator], "params": {name: value}},
                f"{HERE}.params.{name}: {value!r} is not allowed; write {remedy}",
            )
            for estimator, name, value, remedy in (
                (FOREST, "n_estimators", "many", "an integer in [1, inf)"),
                (FOREST, "n_estimators", "0", "an integer in [1, inf)"),
                (FOREST, "n_estimators", "100.0", "an integer in [1, inf)"),
                (FOREST, "n_estimators", "'100'", "an integer in [1, inf)"),
                (FOREST, "bootstrap", "1", "false or true"),
                (FOREST, "criterion", "Gini", "entropy, gini or log_loss; did you mean gini?"),
                (FOREST, "max_features", "1.1", MAX_FEATURES),
                (FOREST, "max_features", "[1]", MAX_FEATURES),
                (FOREST, "class_weight", "1", "balanced, balanced_subsample, a mapping, a list or null"),
                (RIDGE, "alpha", "-1", "a number in [0, inf), a list or a mapping"),
            )
        ),
        *(
            (
                "a value that scikit-learn takes, or that is not known well enough",
                {"estimators": [estimator], "params": {name: value}},
                None,
            )
            for estimator, name, value in (
                (FOREST, "n_estimators", "1"),
                (FOREST, "n_estimators", "{"),
                (FOREST, "n_estimators", "many" * 32 + "!"),
                (FOREST, "max_features", "1.0"),
                (FOREST, "max_features", "1"),
                (FOREST, "class_weight", "{yes: 2}"),
                (FOREST, "random_state", "7"),
                ("sklearn.dummy.DummyClassifier", "constant", "yes"),
                ("lightgbm.LGBMRegressor", "num_leaves", "many"),
            )
        ),
        (
            "the first wrong candidate is named",
            {"estimators": [FOREST, "Tree"]},
            (
                "spec.retraining.candidates[name=c1].estimator: Tree is not a classifier or regressor of "
                "scikit-learn"
            ),
        ),
    ],
)
def test_what_neither_the_schema_nor_cel_can_see(case, given, expected):
    """A sentence that names the field and the remedy, and never a guess that is acted upon."""
    assert problem(*given.pop("estimators"), **given) == expected, case


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"on": ["DataDrift", "labels"]}, None),
        (
            {"on": ["DataDrift", "label"]},
            "spec.trigger.on: label is neither DataDrift nor a name in spec.signals; did you mean labels?",
        ),
        ({"consecutiveBreaches": 2, "withinChecks": 2}, None),
        (
            {"consecutiveBreaches": 3, "withinChecks": 2},
            "spec.trigger.withinChecks: it must be at least consecutiveBreaches",
        ),
    ],
)
def test_a_trigger_that_could_never_be_met_is_refused(trigger, expected):
    """The API server refuses it too, unless its CRD is an older one."""
    assert problem(signals=[{"name": "labels", "type": "TargetDrift"}], trigger=trigger) == expected


@pytest.mark.parametrize(
    ("promotion", "task", "field"),
    [
        ({"primaryMetric": "f1_macro"}, "Classification", None),
        ({"primaryMetric": "f1_macro"}, None, None),
        ({"primaryMetric": "f1_macro"}, "Regression", "spec.promotion.primaryMetric"),
        ({"gates": [{"metric": "r2", "threshold": 0.5}]}, "Regression", None),
        (
            {"gates": [{"metric": "r2", "threshold": 0.5}, {"metric": "accuracy", "threshold": 0.5}]},
            "Regression",
            "spec.promotion.gates[1].metric",
        ),
    ],
)
@pytest.mark.parametrize("source", ["task", "inferred"])
def test_a_metric_of_the_other_task_is_refused(promotion, task, field, source):
    """Before a retraining is started for it, as soon as the task is known."""
    known = task and (Task(task) if source == "inferred" else task)
    found = problem(promotion=promotion, **{source: known})
    assert (found or "").split(":")[0] == (field or "")


def test_the_metrics_of_the_tasks_are_all_metrics():
    """Each metric of the API belongs to one task."""
    assert sorted(sum(METRICS.values(), ())) == sorted(get_args(Metric))


def test_a_spec_is_checked_from_the_top():
    """One problem at a time, the schema first."""
    wrong = {"schedule": "61 * * * *", "defaults": replace(DEFAULTS, tracking_uri=None)}

    found = [
        problem("Tree", threshold=2, **wrong),
        problem("Tree", **wrong),
        problem("Tree", defaults=wrong["defaults"]),
        problem("Tree"),
    ]

    assert [str(sentence).partition(":")[0] for sentence in found] == [
        "spec.threshold",
        "spec.schedule",
        "spec.mlflow.trackingURI",
        f"{HERE}.estimator",
    ]


def test_an_mlflow_server_that_the_platform_names_is_enough():
    """Most specs name none."""
    assert problem() is None
    assert problem(defaults=replace(DEFAULTS, tracking_uri=None)) is not None
    assert (
        problem(defaults=replace(DEFAULTS, tracking_uri=None), mlflow={"trackingURI": "http://mlflow"})
        is None
    )


def test_a_spec_is_refused_exactly_where_its_run_could_not_be_given_it():
    """Linux starts no program with a variable of 128 KiB; the largest spec leaves room for the rest."""
    room = LARGEST_SPEC_BYTES - len(msgspec.json.encode(spec(**with_bytes(0))))

    assert refusal(with_bytes(room)) is None
    assert refusal(with_bytes(room + 1)) == (
        f"spec: it takes {LARGEST_SPEC_BYTES + 1} bytes as JSON, and a run can be given {LARGEST_SPEC_BYTES} "
        "at most; shorten what is long in it, such as lists of columns"
    )
    job = check_job(monitor(spec_document(**with_bytes(room))), spec(**with_bytes(room)), NOON, DEFAULTS)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    written = container["env"][-1]["value"].replace("$$", "$")
    assert len(f"SELFHEAL_REQUEST={written}\0".encode()) < 128 * 1024 - 8192


def with_bytes(count: int) -> dict[str, Any]:
    """Return parts of a spec that are larger by so many bytes."""
    names = ["€" * 42 + "x" for _ in range(200)]  # three bytes each: only bytes count
    filler = {"env": [{"name": f"V{n:02}", "value": "$" * 1024} for n in range(20)]}
    filler["env"] += [
        {"name": f"W{n:02}", "value": "v" * min(1024, max(0, count - 1024 * n))} for n in range(40)
    ]
    columns = {"include": names, "exclude": names}
    sides = {side: {"uri": f"/{side}"} for side in ("reference", "current")}
    return {"dataset": sides | {"columns": columns}, "podTemplate": filler}


def refusal(parts: dict[str, Any]) -> str | None:
    """Return what is wrong with a spec of these parts."""
    try:
        rules_of(monitor(spec_document(**parts)), DEFAULTS)
    except InvalidSpecError as error:
        return str(error)
    return None


PERMITTED = replace(DEFAULTS, allowed_uris=("/data/*", "s3://lake/*", "http://mlflow.mlops:5000/*"))
SIDES = {"reference": {"uri": "/data/reference.csv"}, "current": {"uri": "s3://lake/live/"}}
NOT_PERMITTED = (
    "it matches none of the addresses that the platform team permits "
    "(/data/*, s3://lake/*, http://mlflow.mlops:5000/*)"
)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"dataset": SIDES, "mlflow": {"trackingURI": "http://mlflow.mlops:5000"}}, None),
        ({"dataset": SIDES | {"reference": {"uri": "/etc/passwd"}}}, "spec.dataset.reference.uri"),
        ({"dataset": SIDES | {"current": {"uri": "s3://other/live/"}}}, "spec.dataset.current.uri"),
        (
            {"dataset": SIDES | {"labels": {"uri": "https://lake/l.csv", "joinColumn": "id"}}},
            "spec.dataset.labels.uri",
        ),
        ({"dataset": SIDES, "mlflow": {"trackingURI": "http://evil.test:5000"}}, "spec.mlflow.trackingURI"),
        (
            {"dataset": SIDES | {"current": {"uri": "sql://t", "secretRef": {"name": "warehouse"}}}},
            None,
        ),
    ],
)
def test_an_address_that_the_platform_team_does_not_permit_is_named(fields, field):
    """The default MLflow server is the platform team's own, and a database's address is in its Secret."""
    assert problem(defaults=PERMITTED, **fields) == (f"{field}: {NOT_PERMITTED}" if field else None)
    assert problem(**fields) is None
