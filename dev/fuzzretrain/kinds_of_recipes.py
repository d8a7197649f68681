"""Candidates of every estimator that a spec may name, and the rules of retraining and promotion."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import pyarrow as pa

from fuzzretrain.inputs import NOT_REGISTERED, TARGET, Input, Kind, Random, Spec, is_chance, pair, with_column
from fuzzretrain.kinds_of_columns import COLUMNS
from selfheal_operator.api.estimators import CLASSIFIERS, REGRESSORS
from selfheal_operator.api.reasons import Reason


def _with(spec: Callable[[Random], Spec], *, quantity: bool = False) -> Callable[[Random], Input]:
    def make(random: Random) -> Input:
        odd = COLUMNS[str(random.choice(["integers with gaps", "words of gaps", "booleans", "float32"]))]
        reference, current = pair(
            random, lambda table: with_column(table, "odd", odd(random, len(table))), quantity=quantity
        )
        return Input(reference=reference, current=current, spec=spec(random))

    return make


def _any_of(known: Mapping[str, Collection[str]]) -> Callable[[Random], Spec]:
    """Return a spec of one estimator of the catalogue, as it is."""

    def spec(random: Random) -> Spec:
        path = str(random.choice(list(known)))
        return {"retraining": {"candidates": [{"name": "any", "estimator": path}]}}

    return spec


def _hostile_params(random: Random) -> Spec:
    path = str(random.choice(list(CLASSIFIERS)))
    values = [
        "null",
        "-1",
        "1e400",
        "[",
        "{0: 1}",
        "yes",
        "'",
        "!!python/object:os.system {}",
        "nan",
        "10000000000000000000",
    ]
    params = {name: str(random.choice(values)) for name in random.choice(list(CLASSIFIERS[path]), 2)}
    if is_chance(random, 4):
        params |= {"self": "1"}
    return {"retraining": {"candidates": [{"name": "odd", "estimator": path, "params": params}]}}


def _of_the_other_task(random: Random) -> Spec:
    path = str(random.choice(list(set(REGRESSORS) - set(CLASSIFIERS))))
    return {"retraining": {"candidates": [{"name": "odd", "estimator": path}]}}


def _unknown(random: Random) -> Spec:
    path = str(random.choice(["os.system", "sklearn", "sklearn.linear_model.Logistic", "a b", "日本"]))
    return {"retraining": {"candidates": [{"name": "odd", "estimator": path}]}}


def _threshold(random: Random) -> Spec:
    del random
    params = {"estimator": "sklearn.linear_model.LogisticRegression"}
    tuned = {
        "name": "tuned",
        "estimator": "sklearn.model_selection.TunedThresholdClassifierCV",
        "params": params,
    }
    return {"retraining": {"candidates": [tuned]}}


def _searched(random: Random) -> Spec:
    return {"retraining": {"search": {"trials": int(random.integers(1, 4)), "timeoutSeconds": 20}}}


def _defaults(random: Random) -> Spec:
    del random
    return {"retraining": {"candidates": []}}


def _rules(random: Random) -> Spec:
    return {
        "retraining": {
            "testFraction": float(random.choice([0.001, 0.2, 0.5, 0.9, 0.999])),
            "randomSeed": int(random.choice([0, 1, 2**31 - 1])),
            "refit": bool(is_chance(random, 2)),
            "trainingData": str(random.choice(["Auto", "Current", "Reference", "ReferenceAndCurrent"])),
        }
    }


_METRICS: Final = (
    "f1_macro", "accuracy", "precision_macro", "recall_macro", "root_mean_squared_error",
    "mean_absolute_error", "mean_squared_error", "r2",
)  # fmt: skip


def _promotion(random: Random) -> Spec:
    gates = [
        {"metric": str(metric), "threshold": float(random.choice([-1e300, 0.0, 0.5, 1e300]))}
        for metric in random.choice(_METRICS, 2, replace=False)
    ]
    return {
        "promotion": {
            "primaryMetric": str(random.choice(_METRICS)),
            "rule": str(random.choice(["NotWorse", "Better"])),
            "confidence": float(random.choice([0.5, 0.9, 0.999999])),
            "baseline": str(random.choice(["Required", "Ignore"])),
            "slices": [str(random.choice(["plan", "odd", "absent", TARGET]))],
            "gates": gates if is_chance(random, 2) else [],
        }
    }


def _columns(random: Random) -> Spec:
    names: list[Any] = ["x", "n", "plan", "odd", "absent"]
    chosen = [str(each) for each in random.choice(names, 2, replace=False)]
    role = str(random.choice(["include", "exclude", "categorical"]))
    return {"dataset": {"columns": {role: chosen}}}


def _running(random: Random) -> Input:
    """A column of the answers of the model that runs, of any type."""
    values = COLUMNS[str(random.choice(list(COLUMNS)))]
    reference, current = pair(random, lambda table: table)
    current = with_column(current, "said", values(random, len(current)))
    if is_chance(random, 2):
        reference = with_column(reference, "said", values(random, len(reference)))
    return Input(reference=reference, current=current, spec={"dataset": {"columns": {"prediction": "said"}}})


def _leaking(random: Random) -> Input:
    """A column that is the target, or nearly."""

    def change(table: pa.Table) -> pa.Table:
        return with_column(table, "leak", pa.array([f"word {value}" for value in table[TARGET].to_pylist()]))

    reference, current = pair(random, change)
    return Input(reference=reference, current=current)


_UNFIT: Final = frozenset({Reason.TRAINING_FAILED})

KINDS: Final = (
    Kind(name="recipe: any classifier", make=_with(_any_of(CLASSIFIERS))),
    Kind(name="recipe: any classifier again", make=_with(_any_of(CLASSIFIERS))),
    Kind(name="recipe: any regressor", make=_with(_any_of(REGRESSORS), quantity=True)),
    Kind(name="recipe: any regressor again", make=_with(_any_of(REGRESSORS), quantity=True)),
    Kind(name="recipe: hostile parameters", make=_with(_hostile_params)),
    Kind(
        name="recipe: of the other task", make=_with(_of_the_other_task), may=NOT_REGISTERED, reasons=_UNFIT
    ),
    Kind(name="recipe: unknown", make=_with(_unknown), may=NOT_REGISTERED, reasons=_UNFIT),
    Kind(name="recipe: a tuned threshold", make=_with(_threshold)),
    Kind(name="recipe: searched classes", make=_with(_searched)),
    Kind(name="recipe: searched quantities", make=_with(_searched, quantity=True)),
    Kind(name="recipe: default candidates", make=_with(_defaults)),
    Kind(name="rules: retraining", make=_with(_rules)),
    Kind(name="rules: retraining of quantities", make=_with(_rules, quantity=True)),
    Kind(name="rules: promotion", make=_with(_promotion)),
    Kind(name="rules: promotion of quantities", make=_with(_promotion, quantity=True)),
    Kind(name="rules: columns", make=_with(_columns)),
    Kind(name="rules: predictions", make=_running),
    Kind(name="rules: a leak", make=_leaking, may=NOT_REGISTERED),
)
