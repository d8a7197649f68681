"""The inputs of `make fuzz-retrain`, and that it would notice a broken promise."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.model import PythonModel

from fuzzretrain.inputs import CANARY, NOT_REGISTERED, TARGET, Kind
from fuzzretrain.kinds_of_columns import COLUMNS
from fuzzretrain.kinds_of_targets import KINDS as OF_TARGETS
from fuzzretrain.promises import broken_promises, broken_registry
from fuzzretrain.serving import refused_requests
from fuzzretrain.worker import KINDS
from selfheal_operator.api.reasons import Reason, RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.v1alpha1.status import LastRetraining, ModelVersion

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_every_kind_has_a_name_of_its_own() -> None:
    """The table of results has a line for each, and 4 of each are more than 500."""
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert 4 * len(KINDS) >= 500


@pytest.mark.parametrize("kind", OF_TARGETS, ids=lambda kind: kind.name)
def test_a_hostile_target_is_in_both_tables(kind: Kind) -> None:
    """And the same seed makes the same tables."""
    one, other = (kind.make(np.random.default_rng(7)) for _ in range(2))

    assert TARGET in one.reference.schema.names
    assert TARGET in one.current.schema.names
    assert one.current.column(TARGET).to_pylist() == other.current.column(TARGET).to_pylist()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_hostile_column_has_as_many_values_as_there_are_rows(name: str) -> None:
    """Whatever its type."""
    assert len(COLUMNS[name](np.random.default_rng(7), 100)) == 100


def report(model: ModelVersion | None = None, **changes: Any) -> RetrainReport:
    """Return a report that keeps every promise, with changes."""
    last: dict[str, Any] = {
        "scheduled_time": NOW,
        "job_name": "churn-retrain-1",
        "start_time": NOW,
        "completion_time": NOW,
        "result": RetrainResult.FAILED,
        "reason": Reason.TARGET_UNUSABLE,
        "message": "The target has no values.",
        "observed_generation": 1,
    }
    return RetrainReport(last_retraining=LastRetraining(**(last | changes)), model=model)


VERSION = ModelVersion(name="m", version="1", target=TARGET, run_id="r", registered_time=NOW)


@pytest.mark.parametrize(
    ("given", "printed", "what"),
    [
        (report(), "", []),
        (report(reason=Reason.RETRAINING_FAILED), "", ["ended by a defect", "has the reason"]),
        (report(reason=Reason.TOO_FEW_ROWS), "", ["has the reason"]),
        (report(VERSION, result=RetrainResult.REGISTERED), "", ["may not be Registered"]),
        (report(VERSION), "", ["is Failed and has the model"]),
        (report(message="Oh"), "", ["is no sentence"]),
        (report(message="Two lines\nof it, and more"), "", ["is no sentence"]),
        (report(message=f"The value is {CANARY}."), "", ["tells a private value"]),
        (report(), f"row: {CANARY}", ["tells a private value"]),
    ],
)
def test_a_broken_promise_is_noticed(given: RetrainReport, printed: str, what: list[str]) -> None:
    """Each of them, and only that one."""
    kind = Kind(
        name="a target without values",
        make=OF_TARGETS[0].make,
        may=NOT_REGISTERED,
        reasons=frozenset({Reason.TARGET_UNUSABLE}),
    )

    found = list(broken_promises(kind, [given], printed))

    assert len(found) == len(what)
    assert all(each.startswith(start) for each, start in zip(found, what, strict=True))


@pytest.mark.parametrize("reports", [[], [report(), report()]])
def test_a_retraining_that_does_not_report_once_is_noticed(reports: list[RetrainReport]) -> None:
    """No report and two reports are both wrong."""
    found = list(broken_promises(OF_TARGETS[0], reports, ""))

    assert found == [f"delivered {len(reports)} reports"]


@pytest.mark.parametrize(
    ("before", "after", "reports", "is_broken"),
    [
        ([], [], [report()], False),
        (["1"], ["1"], [report()], False),
        ([], ["1"], [report(VERSION)], False),
        ([], ["1"], [report()], True),
        ([], [], [report(VERSION)], True),
    ],
)
def test_a_version_that_nobody_was_told_of_is_noticed(
    before: list[str], after: list[str], reports: list[RetrainReport], *, is_broken: bool
) -> None:
    """And so is one that was told of and does not exist."""
    assert bool(list(broken_registry(before, after, reports))) is is_broken


class Picky(PythonModel):
    """Refuses rows with gaps, as a model without an imputer does."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Return x."""
        del self, context, params
        if model_input["x"].isna().any():
            raise ValueError("x is missing")
        return model_input["x"]


def test_a_model_that_refuses_a_gap_is_noticed(tmp_path: Path) -> None:
    """The other requests are answered."""
    mlflow.pyfunc.save_model(tmp_path / "model", python_model=Picky(), pip_requirements=[])

    found = list(refused_requests((tmp_path / "model").as_uri(), pd.DataFrame({"x": [1.0, 2.0]})))

    assert len(found) == 1
    assert found[0].startswith("a request of an empty row is refused")
