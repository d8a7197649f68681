"""Present versions of any origin: those of earlier retrainings, and models that answer anything at all."""

import sys
from collections.abc import Callable
from typing import Any, Final

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fuzzretrain.inputs import (
    NOT_REGISTERED,
    Input,
    Kind,
    Random,
    arrow,
    classes,
    is_chance,
    pair,
    quantities,
    small_candidates,
)
from fuzzretrain.monitor import FuzzMonitor
from selfheal_operator.api.reasons import Reason, Task

Answer = Callable[[pd.DataFrame], Any]

_UNSCORABLE: Final = frozenset({Reason.CHAMPION_NOT_SCORABLE})


def _raises(rows: pd.DataFrame) -> Any:
    raise ValueError(f"{len(rows)} rows are refused, the first is {rows.iloc[0].to_dict()}")


def _exits(rows: pd.DataFrame) -> Any:
    del rows
    sys.exit(3)


def _refuses_gaps(rows: pd.DataFrame) -> Any:
    return rows["absent"]


UNSCORABLE: Final[dict[str, Answer]] = {
    "raises an error": _raises,
    "ends its process": _exits,
    "needs another column": _refuses_gaps,
    "answers once": lambda _: 1,
    "answers nothing": lambda _: None,
    "answers too few rows": lambda rows: np.zeros(len(rows) - 1),
    "answers no row": lambda _: [],
    "answers two columns": lambda rows: np.zeros((len(rows), 2)),
    "answers probabilities": lambda rows: 1 / (1 + np.exp(-rows["x"])),
    "answers other words": lambda rows: ["perhaps"] * len(rows),
    "answers gaps": lambda rows: np.full(len(rows), np.nan),
    "answers infinity": lambda rows: np.full(len(rows), np.inf),
    "answers bytes": lambda rows: [b"\xff"] * len(rows),
    "answers lists": lambda rows: [[1, 2]] * len(rows),
    "answers itself": lambda rows: rows,
    "answers a word": lambda _: "yes",
    "answers a mapping": lambda rows: {"predictions": [1] * len(rows)},
}
"""Whose answers can never be compared with labels of 0 and 1."""

SCORABLE: Final[dict[str, Answer]] = {
    "is nearly right": lambda rows: (rows["x"] > 0).astype(int),
    "is always wrong": lambda rows: (rows["x"] <= 0).astype(int),
    "answers words of classes": lambda rows: np.where(rows["x"] > 0, "1", "0"),
    "answers booleans": lambda rows: rows["x"] > 0,
    "answers one column": lambda rows: (rows[["x"]] > 0).astype(float),
    "answers a class that nobody has": lambda rows: np.where(rows["x"] > 0, 1, 7),
    "answers with an index of its own": lambda rows: pd.Series(1, index=[f"r{n}" for n in range(len(rows))]),
}


def _model(answer: Answer) -> PythonModel:
    class Model(PythonModel):  # its predict without types: MLflow would read them as a signature
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            del self, context, params
            return answer(model_input)

    return Model()


def _registered(monitor: FuzzMonitor, answer: Answer, **more: Any) -> None:
    with mlflow.start_run(experiment_id=monitor.experiment_id()):
        made = mlflow.pyfunc.log_model(name="model", python_model=_model(answer), pip_requirements=[], **more)
    mlflow.register_model(made.model_uri, monitor.name)


def _foreign(answer: Answer) -> Callable[[Random], Input]:
    def make(random: Random) -> Input:
        reference, current = pair(random, lambda table: table)
        return Input(
            reference=reference, current=current, champion=lambda monitor: _registered(monitor, answer)
        )

    return make


def _asked_for_quantities(random: Random) -> Input:
    """A champion of words, of gaps or of large numbers, where labels are quantities."""
    reference, current = pair(random, lambda table: table, quantity=True)
    answers: list[Answer] = [
        lambda rows: ["yes"] * len(rows),
        lambda rows: np.where(np.arange(len(rows)) == 3, np.nan, rows["x"]),
        lambda rows: rows["x"] * 1e300,
        lambda rows: (3 * rows["x"]).map(str),
        lambda rows: 3 * rows["x"],
        lambda rows: rows["x"] > 0,
    ]
    answer = answers[int(random.integers(0, len(answers)))]
    return Input(reference=reference, current=current, champion=lambda monitor: _registered(monitor, answer))


def _with_signature(random: Random) -> Input:
    """A champion whose signature asks for other columns, or other types."""
    reference, current = pair(random, lambda table: table)
    examples: list[dict[str, list[Any]]] = [
        {"absent": [1.0]},
        {"x": ["word"]},
        {"n": [1]},
        {"x": [1.0], "plan": ["a"]},
        {"X": [1.0]},
    ]
    example = pd.DataFrame(examples[int(random.integers(0, len(examples)))])
    signature = infer_signature(example)
    return Input(
        reference=reference,
        current=current,
        champion=lambda monitor: _registered(
            monitor, lambda rows: np.zeros(len(rows), dtype=int), signature=signature
        ),
    )


def _of_scikit_learn(random: Random) -> Input:
    """A champion of scikit-learn's flavor, of this task or the other, that may be recalibrated."""
    reference, current = pair(random, lambda table: table, quantity=is_chance(random, 2))
    rows = reference.to_pandas()
    numbers = rows[["x", "n"]]
    estimator = LogisticRegression() if is_chance(random, 2) else LinearRegression()
    model = make_pipeline(FunctionTransformer(pd.DataFrame.filter, kw_args={"items": ["x", "n"]}), estimator)
    model.fit(numbers, (rows["x"] > 0).astype(int))
    signature = infer_signature(numbers) if is_chance(random, 2) else None

    def register(monitor: FuzzMonitor) -> None:
        with mlflow.start_run(experiment_id=monitor.experiment_id()):
            made = mlflow.sklearn.log_model(
                model,
                name="model",
                signature=signature,
                pip_requirements=[],
                serialization_format="cloudpickle",
            )
        mlflow.register_model(made.model_uri, monitor.name)

    return Input(reference=reference, current=current, champion=register, spec=_defaults_or_small(random))


def _defaults_or_small(random: Random) -> dict[str, Any]:
    """Return a spec without candidates, now and then: only then the champion is recalibrated."""
    return {"retraining": {"candidates": []}} if is_chance(random, 2) else {}


def _earlier(random: Random) -> Input:
    """A version of an earlier retraining: on the same rows, on some of them, or on none."""
    base, task = (quantities, Task.REGRESSION) if is_chance(random, 3) else (classes, Task.CLASSIFICATION)
    reference, old, new = (base(random) for _ in range(3))
    share = float(random.choice([0.0, 0.5, 0.9, 1.0]))
    now = pd.concat([old.head(int(share * len(old))), new.tail(len(new) - int(share * len(new)))])
    if is_chance(random, 3):
        now = now.rename(columns={"n": "m"})
    if is_chance(random, 4):
        now = now.assign(label=now["label"].map(str))
    before = Input(
        reference=arrow(reference),
        current=arrow(old),
        spec={"retraining": {"candidates": small_candidates(random, task)}},
    )
    reads = {"dataset": {"columnPolicy": {"missing": "Skip"}}}
    return Input(
        reference=arrow(reference),
        current=arrow(now),
        spec=reads | _defaults_or_small(random),
        champion=lambda monitor: monitor.retrained(before),
    )


def _tagged(random: Random) -> Input:
    """A version whose tags of an earlier retraining are damaged."""
    reference, current = pair(random, lambda table: table)
    odd = ["", "nan", "inf", "-1", "mlflow-artifacts:/nowhere.json", "日本", "x" * 4000, "[]"]
    names = ("learntRows", "trainedUntilTime", "metric", "score", "baseline")
    tags = {f"selfheal.{name}": str(random.choice(odd)) for name in names}
    if is_chance(random, 2):
        tags["selfheal.metric"] = "f1_macro"

    def register(monitor: FuzzMonitor) -> None:
        _registered(monitor, SCORABLE["is always wrong"])
        for key, value in tags.items():
            mlflow.MlflowClient().set_model_version_tag(monitor.name, "1", key, value)

    return Input(reference=reference, current=current, champion=register)


KINDS: Final = (
    *(
        Kind(name=f"champion: {name}", make=_foreign(answer), may=NOT_REGISTERED, reasons=_UNSCORABLE)
        for name, answer in UNSCORABLE.items()
    ),
    *(Kind(name=f"champion: {name}", make=_foreign(answer)) for name, answer in SCORABLE.items()),
    Kind(name="champion: of quantities", make=_asked_for_quantities),
    Kind(name="champion: with a signature", make=_with_signature),
    Kind(name="champion: of scikit-learn", make=_of_scikit_learn),
    Kind(name="champion: of scikit-learn again", make=_of_scikit_learn),
    Kind(name="champion: of an earlier retraining", make=_earlier),
    Kind(name="champion: of an earlier retraining again", make=_earlier),
    Kind(name="champion: with damaged tags", make=_tagged),
)
