"""Answers of another shape than MLflow's are named, and never end a run."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.tracking.mlflow_answers import (
    CreatedRun,
    FoundExperiment,
    FoundRuns,
    FoundVersion,
    FoundVersions,
    UnreadableAnswerError,
    read,
    values_of,
)

VERSION = {"name": "churn", "version": "3", "creation_timestamp": 1_764_000_000_000}
TEXT = st.text(max_size=8)
FIELDS = (
    *("run", "runs", "info", "data", "tags", "key", "value", "run_id", "status", "experiment", "source"),
    *("experiment_id", "model_version", "model_versions", "name", "version", "creation_timestamp"),
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)


@given(st.sampled_from([CreatedRun, FoundExperiment, FoundRuns, FoundVersion, FoundVersions]), DOCUMENTS)
def test_any_document_is_an_answer_or_unreadable(kind, document):
    """No other error, whatever a server says."""
    with suppress(UnreadableAnswerError):
        assert isinstance(read(kind, document), kind)


@pytest.mark.parametrize("number", ["3", 3])
@pytest.mark.parametrize("created", ["1764000000000", 1_764_000_000_000])
def test_numbers_may_be_text(number: Any, created: Any) -> None:
    """Protobuf writes 64-bit integers so; MLflow's server does for the one and not for the other."""
    found = read(
        FoundVersion, {"model_version": VERSION | {"version": number, "creation_timestamp": created}}
    )

    assert found.model_version.version == 3
    assert found.model_version.created == datetime(2025, 11, 24, 16, tzinfo=UTC)


def test_what_is_not_read_may_be_anything() -> None:
    """Later releases add fields."""
    answer = {"run": {"info": {"run_id": "a", "status": "RUNNING", "new": [1]}, "inputs": 5}}

    assert read(CreatedRun, answer).run.info.run_id == "a"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"version": []}, "$.model_version.version"),
        ({"version": "3\nREADY"}, "$.model_version.version"),
        ({"version": "0"}, "$.model_version.version"),
        ({"name": 5}, "$.model_version.name"),
        ({"name": ""}, "$.model_version.name"),
        ({"creation_timestamp": "secret"}, "$.model_version.creation_timestamp"),
        ({"creation_timestamp": 1e300}, "$.model_version.creation_timestamp"),
        ({"creation_timestamp": 253_402_300_800_000}, "$.model_version.creation_timestamp"),
        ({"tags": {"a": 1}}, "$.model_version.tags"),
    ],
)
def test_the_field_is_named_and_not_its_value(changed: dict[str, Any], where: str) -> None:
    """An answer may quote a secret."""
    with pytest.raises(UnreadableAnswerError) as raised:
        read(FoundVersion, {"model_version": VERSION | changed})

    assert where in str(raised.value)
    assert "secret" not in str(raised.value)


def test_the_last_millisecond_of_9999_is_a_time() -> None:
    """Python's times end there."""
    found = read(
        FoundVersion,
        {"model_version": json.loads(json.dumps(VERSION | {"creation_timestamp": 253_402_300_799_999}))},
    )

    assert found.model_version.created.year == 9999


def test_tags_are_read_by_their_keys() -> None:
    """A tag without a value is empty, as MLflow stores it."""
    found = read(
        FoundVersion, {"model_version": VERSION | {"tags": [{"key": "a", "value": "1"}, {"key": "b"}]}}
    )

    assert values_of(found.model_version.tags) == {"a": "1", "b": ""}
