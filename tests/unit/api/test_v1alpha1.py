import importlib
import inspect
import pkgutil
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from selfheal_operator.api import v1alpha1
from selfheal_operator.api.model import ApiModel, format_time, wire_name
from selfheal_operator.api.reasons import CheckResult
from selfheal_operator.api.v1alpha1.dataset import DataSource
from selfheal_operator.api.v1alpha1.pods import PodTemplate, VolumeMount
from selfheal_operator.api.v1alpha1.retraining import MLflow
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ActiveJob, HistoryEntry, LastCheck, ModelMonitorStatus
from selfheal_operator.crd import field_descriptions
from support.builders.objects import NOON, last_check, spec, spec_document, status

MODELS = [
    model
    for module in pkgutil.iter_modules(v1alpha1.__path__, f"{v1alpha1.__name__}.")
    for _, model in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
    if issubclass(model, ApiModel) and model.__module__ == module.name
]
FIELDS = [(model, name) for model in MODELS for name in model.__struct_fields__]


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{m.__name__}.{n}" for m, n in FIELDS])
def test_every_field_is_described_by_its_wire_name(model, name):
    """The description is what `kubectl explain` prints: it starts with what the user writes."""
    description = field_descriptions(model).get(name)

    assert description, "a docstring is missing under the field"
    assert re.match(rf"{wire_name(name)}\b", description), description


@pytest.mark.parametrize(
    ("model", "name", "alias"),
    [
        (LastCheck, "run_id", "runID"),
        (LastCheck, "report_uri", "reportURI"),
        (MLflow, "tracking_uri", "trackingURI"),
        (DataSource, "uri", "uri"),
        (ActiveJob, "uid", "uid"),
        (ModelMonitorSpec, "interval_seconds", "intervalSeconds"),
        (PodTemplate, "service_account_name", "serviceAccountName"),
        (VolumeMount, "mount_path", "mountPath"),
    ],
)
def test_names_on_the_wire_are_those_of_kubernetes(model, name, alias):
    """Camel case; initialisms in capitals except at the start."""
    assert dict(zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True))[name] == alias


def test_no_name_on_the_wire_has_a_false_initialism():
    """`runId` and `trackingUri` are spelt otherwise in Kubernetes."""
    aliases = {alias for model in MODELS for alias in model.__struct_encode_fields__}

    assert [alias for alias in aliases if re.search(r"(Id|Uri|Url|Uid)$", alias)] == []


def has_null(value: object) -> bool:
    """Say whether there is a null anywhere in a document."""
    if isinstance(value, dict):
        return any(has_null(child) for child in value.values())
    if isinstance(value, list):
        return any(has_null(child) for child in value)
    return value is None


def test_what_is_absent_stays_absent():
    """A null in an applied document would be a value that a field manager owns."""
    full = status(
        last_check=last_check(), history=[HistoryEntry(scheduled_time=NOON, result=CheckResult.ERROR)]
    )

    for document in (spec().to_wire(), ModelMonitorStatus().to_wire(), full.to_wire()):
        assert not has_null(document), document


def test_a_spec_comes_back_as_it_was_written():
    """Whatever defaults are added to it on the way to a container."""
    document = spec_document(
        intervalSeconds=900,
        task="Regression",
        mlflow={"trackingURI": "http://mlflow:5000", "secretRef": {"name": "mlflow"}},
        podTemplate={
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "lake"}}],
            "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
            "resources": {"limits": {"memory": "2Gi", "cpu": 2}},
        },
    )

    read = ModelMonitorSpec.from_wire(document)

    assert holds(read.to_wire(), document)
    assert ModelMonitorSpec.from_wire(read.to_wire()) == read


def holds(whole: Any, part: Any) -> bool:
    """Say whether a document has all that another one has."""
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def test_unknown_fields_are_ignored():
    """An older operator survives a newer CRD."""
    assert spec(fieldOfTomorrow=600) == spec()


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (datetime(2026, 11, 23, 12, 0, 59, 999_999, UTC), "2026-11-23T12:00:59Z"),
        (datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=1))), "2026-11-23T12:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),  # a Go program's time that was never set
    ],
)
def test_times_are_written_as_the_api_server_does(time, written):
    """RFC 3339, UTC, whole seconds, four digits of the year."""
    assert format_time(time) == written
