"""Defaults are part of the API: they are applied on reading, so a changed one changes every stored object."""

from typing import Any, Final

import msgspec

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.crd import parts

OF_ITS_FIELDS: Final = "of its fields"
"""The default of a part whose fields all have one."""

DEFAULTS: Final[dict[str, Any]] = {
    "ModelMonitorSpec.drift": OF_ITS_FIELDS,
    "ModelMonitorSpec.signals": [],
    "ModelMonitorSpec.trigger": OF_ITS_FIELDS,
    "ModelMonitorSpec.mode": "Enforce",
    "ModelMonitorSpec.spreadSeconds": 0,
    "ModelMonitorSpec.concurrencyPolicy": "Forbid",
    "ModelMonitorSpec.successfulJobsHistoryLimit": 1,
    "ModelMonitorSpec.failedJobsHistoryLimit": 1,
    "ModelMonitorSpec.suspend": False,
    "ModelMonitorSpec.retraining": OF_ITS_FIELDS,
    "ModelMonitorSpec.promotion": OF_ITS_FIELDS,
    "ModelMonitorSpec.mlflow": OF_ITS_FIELDS,
    "ModelMonitorSpec.jobTemplate": OF_ITS_FIELDS,
    "ModelMonitorSpec.podTemplate": OF_ITS_FIELDS,
    "Dataset.columns": OF_ITS_FIELDS,
    "Dataset.columnPolicy": OF_ITS_FIELDS,
    "Dataset.minRows": 100,
    "Dataset.maxRows": 1_000_000,
    "Labels.delaySeconds": 0,
    "Window.offsetSeconds": 0,
    "Columns.include": [],
    "Columns.exclude": [],
    "Columns.categorical": [],
    "ColumnPolicy.empty": "Skip",
    "ColumnPolicy.missing": "Fail",
    "ColumnPolicy.unexpected": "Ignore",
    "ColumnPolicy.maxNullShare": 0.5,
    "Drift.columns": [],
    "Drift.rule": "Calibrated",
    "Drift.report": "OnDrift",
    "Trigger.on": ("DataDrift",),
    "Trigger.policy": "Any",
    "Trigger.consecutiveBreaches": 1,
    "Retraining.mode": "Auto",
    "Retraining.maxRunsPerDay": 4,
    "Retraining.maxConsecutiveFailures": 3,
    "Retraining.cooldownSeconds": 3600,
    "Retraining.trainingData": "Auto",
    "Retraining.testFraction": 0.2,
    "Retraining.randomSeed": 42,
    "Retraining.candidates": [],
    "Retraining.podTemplate": OF_ITS_FIELDS,
    "Search.trials": 30,
    "Search.timeoutSeconds": 600,
    "Candidate.params": {},
    "MLflow.championAlias": "champion",
    "Promotion.mode": "Auto",
    "Promotion.approvalTimeoutSeconds": 259_200,
    "Promotion.rollback": OF_ITS_FIELDS,
    "Rollback.mode": "Manual",
    "Rollback.afterChecks": 3,
    "Promotion.rule": "NotWorse",
    "Promotion.margin": 0.01,
    "Promotion.confidence": 0.9,
    "Promotion.baseline": "Required",
    "Promotion.slices": [],
    "Promotion.gates": [],
}
"""Of every field of the spec that may be left out; one that is not here is absent then."""

REQUIRED: Final = {
    *("ModelMonitorSpec.dataset", "ModelMonitorSpec.target", "ModelMonitorSpec.threshold"),
    *("Dataset.reference", "Dataset.current"),
    *("DataSource.uri", "DataSecretRef.name", "Labels.uri", "Labels.joinColumn"),
    *("Window.timestampColumn", "Window.lookbackSeconds"),
    *("DriftColumn.name", "Signal.name", "Signal.type", "Performance.metric", "DataQuality.metric"),
    *("Candidate.name", "Candidate.estimator", "MetricGate.metric"),
    *("SecretRef.name", "KeyRef.name", "KeyRef.key", "FieldRef.fieldPath", "EnvVar.name"),
    *("VolumeMount.name", "VolumeMount.mountPath", "Volume.name", "KeyToPath.key", "KeyToPath.path"),
    *("ConfigMapVolume.name", "SecretVolume.secretName", "ClaimVolume.claimName", "CSIVolume.driver"),
    *("EphemeralVolume.volumeClaimTemplate", "ClaimTemplate.spec"),
    *("ClaimSpec.accessModes", "ClaimSpec.resources"),
}
"""What must be written. A field that becomes required makes stored objects invalid."""


def of_spec() -> dict[str, Any]:
    """Return every field of the spec with its default; NODEFAULT where it is required."""
    return {
        f"{part.__name__}.{each.encode_name}": _default(each)
        for part in dict.fromkeys(parts(ModelMonitorSpec))
        for each in msgspec.structs.fields(part)
    }


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    if isinstance(field.default, ApiModel):
        return OF_ITS_FIELDS if field.default == type(field.default)() else field.default
    return field.default


def test_no_default_has_changed() -> None:
    """What a user left out means the same tomorrow as today."""
    found = {name: value for name, value in of_spec().items() if value not in (None, msgspec.NODEFAULT)}
    changed = {
        name: (DEFAULTS.get(name), found.get(name))
        for name in DEFAULTS.keys() | found.keys()
        if DEFAULTS.get(name) != found.get(name)
    }

    assert not changed, (
        f"The default of {', '.join(sorted(changed))} has changed. Defaults are not stored: they are applied "
        "on reading, so this changes every monitor in every cluster that leaves the field out. "
        f"If that is wanted, say so in CHANGELOG.md and change the table here. (before, now): {changed}"
    )


def test_no_field_has_become_required() -> None:
    """The API server would refuse each edit of a stored object that lacks it."""
    required = {name for name, value in of_spec().items() if value is msgspec.NODEFAULT}

    assert required == REQUIRED
