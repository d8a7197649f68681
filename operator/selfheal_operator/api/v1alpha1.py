"""`ModelMonitor`: the source of the CRD in `crds/`, and how every part of selfheal reads one.

A field's docstring starts with its wire name and becomes its description in the CRD, so that
`kubectl explain` says what is written here. Defaults are applied on reading, never by the API server:
what is absent from a user's manifest stays absent, and GitOps tools see no difference.
Unknown fields are ignored: an older operator survives a newer CRD.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from msgspec import Meta

from selfheal_operator.api.drift_methods import (
    AnyMethod,
    BothKindsMethod,
    CategoricalMethod,
    NumericalMethod,
)
from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.names import ENV_REQUEST, MAX_MONITOR_NAME
from selfheal_operator.api.reasons import (
    CheckResult,
    ConditionStatus,
    Purpose,
    RetrainResult,
    SignalResult,
    Task,
)

Time = Annotated[datetime, Meta(tz=True)]

PerformanceMetric = Literal[
    "accuracy", "f1", "precision", "recall", "rocAuc", "logLoss", "rmse", "mae", "r2", "mape"
]
QualityMetric = Literal[
    "nullShare", "newCategories", "outOfRange", "duplicatedRows", "constantColumns", "rowCount"
]

# The API server refuses CEL rules whose worst case is too expensive, and reckons it from these bounds.
Text = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=253)]
Share = Annotated[str, Meta(max_length=16, pattern=r"^(0(\.[0-9]+)?|1(\.0+)?)$")]
"""A decimal from 0 to 1, as text: a number would differ in its last digit from write to write."""


def _rule(rule: str, message: str, *, field: str = "") -> dict[str, str]:
    """Return a CEL rule of the object that holds `field`, the one that a complaint names.

    It could stand on the field itself, but there the API server repeats the value that it refuses, and
    some of these values hold passwords.
    """
    return {"rule": rule, "message": message} | ({"fieldPath": f".{field}"} if field else {})


def _rules(*rules: dict[str, str]) -> dict[str, Any]:
    return {"x-kubernetes-validations": list(rules)}


def _map_list(key: str) -> dict[str, Any]:
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


_ATOMIC = {"x-kubernetes-list-type": "atomic"}
_ANY_FIELDS: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}


# --- spec ---------------------------------------------------------------------------------------------------


class DataSecretRef(ApiModel, frozen=True, kw_only=True):
    """A Secret in the monitor's namespace that lets one data source in."""

    name: Name
    """name of the Secret. Its keys reach the container as environment variables of this source alone.

    s3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.
    gs: GOOGLE_CREDENTIALS. az: AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN.
    http(s): username and password, or token. sql: the database's URL.
    """

    key: Annotated[str, Meta(min_length=1, max_length=253)] | None = None
    """key that holds the database's URL, such as postgresql://user:password@host/database.

    Only for sql://. Defaults to url.
    """


_SOURCE_RULES = (
    _rule(
        "self.uri.matches('^(/|file:///|https?://[^/?#]|(s3|gs|az)://[^/?#]|sql://)')",
        "uri must be an absolute path, or start with file:///, http://, https://, s3://, gs://, az:// or sql://",
        field="uri",
    ),
    _rule(
        "!self.uri.matches('^https?://[^?#]*[*]')",
        "uri must name one file over http(s): a server cannot be asked which files a * stands for",
        field="uri",
    ),
    _rule(
        "!self.uri.matches('^[a-zA-Z0-9+.-]+://[^/?#]*@')",
        "uri must not contain a user name or password: name a Secret in secretRef instead",
        field="uri",
    ),
    _rule(
        "!self.uri.startsWith('sql:') || self.uri.matches('^sql://([A-Za-z_][A-Za-z0-9_$]*[.])?[A-Za-z_][A-Za-z0-9_$]*$')"
        " || (self.uri == 'sql://' && has(self.query))",
        "uri must be sql:// and a table, with its schema or without, such as sql://sales.churn; "
        "for anything else write sql:// and a query",
        field="uri",
    ),
    _rule(
        "!has(self.query) || self.uri == 'sql://'",
        "query has a meaning only together with the uri sql://",
        field="query",
    ),
    _rule(
        "!self.uri.startsWith('sql:') || has(self.secretRef)",
        "secretRef must name the Secret that holds the database's URL",
        field="secretRef",
    ),
    _rule(
        "!has(self.secretRef) || !has(self.secretRef.key) || self.uri.startsWith('sql:')",
        "key has a meaning only for sql://: of other sources all keys of the Secret are used",
        field="secretRef",
    ),
    _rule(
        "!has(self.secretRef) || !self.uri.matches('^(/|file:)')",
        "secretRef has no meaning for a mounted volume",
        field="secretRef",
    ),
    _rule(
        "!has(self.format) || !self.uri.startsWith('sql:')",
        "format has no meaning for sql://",
        field="format",
    ),
)


class DataSource(ApiModel, frozen=True, kw_only=True):
    """Where a table is read from."""

    schema: ClassVar[Mapping[str, Any]] = _rules(*_SOURCE_RULES)

    uri: Annotated[str, Meta(min_length=1, max_length=1024)]
    """uri names a file, a folder or a glob, or a table of a database.

    An absolute path or file:// is on a mounted volume; s3://bucket/path, gs://bucket/path and
    az://container/path are in an object store; http(s):// is one file; sql://table or sql://schema.table is
    a table or view, and sql:// alone goes with query.
    A folder or a glob is read as one table: all its CSV and Parquet files, which must share their columns.
    Folders named key=value become columns.
    """

    format: Literal["CSV", "Parquet"] | None = None
    """format is CSV or Parquet. Absent: taken from the files' names (.csv, .csv.gz, .parquet, .pq)."""

    query: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    """query is a SELECT whose result is the table; with the uri sql://."""

    secret_ref: DataSecretRef | None = None
    """secretRef names the Secret that lets this source in. Absent: what the pod's own identity may read."""


class Labels(DataSource, frozen=True, kw_only=True):
    """Labels that arrive later than the rows that they belong to."""

    schema: ClassVar[Mapping[str, Any]] = _rules(*_SOURCE_RULES)

    join_column: Annotated[str, Meta(min_length=1, max_length=256)]
    """joinColumn is in the current data and in the labels, and tells which label belongs to which row."""

    delay_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    """delaySeconds is how long labels take: only rows that are older count where labels are needed.

    The window then ends so much before the slot. Without a window every row counts. Defaults to 0.
    """


class Window(ApiModel, frozen=True, kw_only=True):
    """The rows of the current data that count: those of a time span that ends at the check's slot."""

    timestamp_column: Annotated[str, Meta(min_length=1, max_length=256)]
    """timestampColumn says when a row was made: a timestamp or date, ISO 8601 text, or an epoch number.

    Times without a zone are UTC. Numbers are seconds, milli-, micro- or nanoseconds, told by their size.
    Rows without a readable timestamp are left out and counted.
    """

    lookback_seconds: Annotated[int, Meta(ge=1, le=315_360_000)]
    """lookbackSeconds is the length of the window."""

    offset_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    """offsetSeconds is how long before the slot the window ends, for late data. Defaults to 0."""


_ColumnNames = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=128)]],
    Meta(max_length=200, extra_json_schema=_ATOMIC),  # the whole request has to fit into 128 KiB
]


class Columns(ApiModel, frozen=True, kw_only=True):
    """What the columns are for."""

    prediction: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """prediction is the column that holds what the model predicted: neither compared nor learnt from."""

    include: _ColumnNames = []
    """include lists the only columns that are compared and learnt from. Absent: all of the reference."""

    exclude: _ColumnNames = []
    """exclude lists columns that are neither compared nor learnt from, such as identifiers."""

    categorical: _ColumnNames = []
    """categorical lists columns of numbers that are codes: they are compared as categories."""


class ColumnPolicy(ApiModel, frozen=True, kw_only=True):
    """What becomes of columns that cannot be compared."""

    empty: Literal["Skip", "CountAsDrift", "Fail"] = "Skip"
    """empty is about columns that have values in the reference and none in the current data.

    Skip: they are left out. CountAsDrift: each counts as a drifted column. Fail: the check is an Error.
    Defaults to Skip.
    """

    missing: Literal["Fail", "Skip", "CountAsDrift"] = "Fail"
    """missing is about columns of the reference that the current data lacks. Defaults to Fail."""

    unexpected: Literal["Ignore", "Fail"] = "Ignore"
    """unexpected is about columns that only the current data has. Defaults to Ignore."""


class Dataset(ApiModel, frozen=True, kw_only=True):
    """The two tables that a check compares."""

    reference: DataSource
    """reference is the data that the present model was trained on: what normal looks like."""

    current: DataSource
    """current is the data that the model meets now."""

    labels: Labels | None = None
    """labels of the current data, if they arrive later than its rows. A retraining joins them."""

    window: Window | None = None
    """window says which rows of current count. Absent: all."""

    columns: Columns = Columns()
    """columns says what single columns are for."""

    column_policy: ColumnPolicy = ColumnPolicy()
    """columnPolicy says what becomes of columns that cannot be compared."""

    min_rows: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 100
    """minRows is how many rows either side needs for a verdict; with fewer a check is Inconclusive.

    Defaults to 100.
    """

    max_rows: Annotated[int, Meta(ge=1000, le=1_000_000_000)] = 1_000_000
    """maxRows is how many rows of a side a check looks at; of a larger one it takes a random sample.

    The sample is seeded by the slot, so that a repeated check sees the same rows. Defaults to 1000000.
    """


class DriftColumn(ApiModel, frozen=True, kw_only=True):
    """How one column is judged."""

    schema: ClassVar[Mapping[str, Any]] = _rules(
        _rule(
            "has(self.method) || has(self.threshold)",
            "set method or threshold, or both: a column that is only named is judged as all others are",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    """name of the column in the reference."""

    method: AnyMethod | None = None
    """method is Evidently's id of a test or distance for the column's kind. Absent: as for all columns."""

    threshold: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    """threshold: a p-value below it is drift, or a distance from it on. Absent: Evidently's."""


class Drift(ApiModel, frozen=True, kw_only=True):
    """What counts as drift of a column."""

    method: BothKindsMethod | None = None
    """method for all columns, by Evidently's id. Absent: Evidently's choice, by kind, rows and distinct
    values.

    Up to 1,000 values in the reference it is a test (ks, chisquare or z), above them a distance
    (wasserstein or jensenshannon).
    """

    numerical_method: NumericalMethod | None = None
    """numericalMethod is the method for numerical columns. Absent: method."""

    categorical_method: CategoricalMethod | None = None
    """categoricalMethod is the method for categorical columns. Absent: method."""

    columns: Annotated[list[DriftColumn], Meta(max_length=256, extra_json_schema=_map_list("name"))] = []
    """columns that are judged otherwise than the rest, one by one."""

    rule: Literal["Calibrated", "Evidently"] = "Calibrated"
    """rule says when a column counts as drifted. Defaults to Calibrated.

    Calibrated: when Evidently says so and chance does not explain it at these numbers of rows, so that at
    most one check in a hundred raises an alarm without drift; too few rows for silence to mean anything are
    Inconclusive.
    Evidently: when Evidently says so.
    """

    report: Literal["OnDrift", "Always", "Never"] = "OnDrift"
    """report says when Evidently's full HTML report is made, after the verdict. Defaults to OnDrift."""


class Signal(ApiModel, frozen=True, kw_only=True):
    """Something else that is looked at in each check, beside the drift of the columns."""

    schema: ClassVar[Mapping[str, Any]] = _rules(
        _rule(
            "self.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
            "name must consist of lower case letters, digits and hyphens, with no hyphen at either end",
            field="name",
        ),
        _rule(
            "self.type in ['Performance', 'DataQuality'] == has(self.metric)",
            "metric is needed for Performance and DataQuality, and has no meaning for the other types",
            field="metric",
        ),
        _rule(
            "!has(self.metric) || self.type != 'Performance'"
            f" || self.metric in {list(get_args(PerformanceMetric))}",
            f"metric of Performance must be one of {' '.join(get_args(PerformanceMetric))}",
            field="metric",
        ),
        _rule(
            "!has(self.metric) || self.type != 'DataQuality'"
            f" || self.metric in {list(get_args(QualityMetric))}",
            f"metric of DataQuality must be one of {' '.join(get_args(QualityMetric))}",
            field="metric",
        ),
        _rule(
            "self.type in ['Performance', 'DataQuality'] == (has(self.minValue) || has(self.maxValue))",
            "set minValue or maxValue, or both, for Performance and DataQuality; "
            "the other types are judged as columns are",
        ),
        _rule(
            "!has(self.minValue) || !has(self.maxValue) || self.minValue <= self.maxValue",
            "minValue must be at most maxValue",
            field="minValue",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    """name is how the signal is called in the status and, as signal/name, in MLflow; unique in the list."""

    type: Literal["Performance", "PredictionDrift", "TargetDrift", "DataQuality"]
    """type says what is looked at.

    Performance: how well the predictions fit the labels. PredictionDrift: whether dataset.columns.prediction
    has drifted. TargetDrift: whether the target has. DataQuality: what the current data is like.
    """

    metric: Literal[PerformanceMetric, QualityMetric] | None = None
    """metric of Performance or DataQuality.

    Performance: accuracy, f1, precision, recall (the mean over the classes), rocAuc, logLoss; rmse, mae, r2,
    mape. DataQuality: nullShare, newCategories and outOfRange are shares of rows, in the worst column;
    duplicatedRows is a share of rows; constantColumns and rowCount are numbers.
    """

    min_value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    """minValue: the signal is breached below it."""

    max_value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    """maxValue: the signal is breached above it."""


class Candidate(ApiModel, frozen=True, kw_only=True):
    """A model that a retraining tries."""

    schema: ClassVar[Mapping[str, Any]] = _rules(
        _rule(
            "self.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
            "name must consist of lower case letters, digits and hyphens, with no hyphen at either end",
            field="name",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    """name is how the candidate is called in MLflow and in the status; unique in the list."""

    estimator: Annotated[str, Meta(min_length=1, max_length=128)]
    """estimator is a scikit-learn class that fits the task, by its full name,
    for example sklearn.ensemble.RandomForestClassifier."""

    params: Annotated[dict[str, Any], Meta(extra_json_schema=_ANY_FIELDS)] = {}
    """params are the keyword arguments of the estimator, for example {n_estimators: 200}.

    Absent ones keep scikit-learn's defaults; random_state and n_jobs are set from randomSeed and the
    container's CPUs where the estimator has them.
    """


class Retraining(ApiModel, frozen=True, kw_only=True):
    """What is done when drift is found."""

    mode: Literal["Auto", "Manual", "Disabled"] = "Auto"
    """mode says whether drift starts a retraining. Defaults to Auto.

    Auto: as soon as a check finds drift, unless the cooldown speaks against it.
    Manual: only when it is asked for; the Retraining condition says that one is due.
    Disabled: never.
    """

    cooldown_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 3600
    """cooldownSeconds is the least time between two starts of a retraining. Defaults to 3600.

    Drift seen meanwhile is reported, and acted upon once the cooldown is over if it still stands.
    Zero disables the cooldown.
    """

    training_data: Literal["Current", "Reference", "ReferenceAndCurrent"] = "Current"
    """trainingData says what the candidates learn from. Defaults to Current.

    The held-out rows come from the current data, except for Reference.
    """

    test_fraction: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    """testFraction is the share of rows held out: every candidate and the present model are scored on them.

    More than 0, less than 1. Defaults to 0.2.
    """

    random_seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 42
    """randomSeed makes the split and the training repeatable. Defaults to 42."""

    candidates: Annotated[list[Candidate], Meta(max_length=10, extra_json_schema=_map_list("name"))] = []
    """candidates are the models to try; the best one on the held-out rows is registered.

    Absent: a linear one (LogisticRegression or LinearRegression) and a non-linear one
    (RandomForestClassifier or RandomForestRegressor).
    """


class SecretRef(ApiModel, frozen=True, kw_only=True):
    """A Secret in the monitor's namespace."""

    name: Name
    """name of the Secret."""


class MLflow(ApiModel, frozen=True, kw_only=True):
    """Where runs are logged and models are registered."""

    schema: ClassVar[Mapping[str, Any]] = _rules(
        _rule(
            "!has(self.trackingURI) || self.trackingURI.matches('^https?://[^/?#]')",
            "trackingURI must be the http:// or https:// address of an MLflow server, "
            "such as http://mlflow.mlops:5000",
            field="trackingURI",
        ),
        _rule(
            "!has(self.trackingURI) || !self.trackingURI.matches('^[a-zA-Z0-9+.-]+://[^/?#]*@')",
            "trackingURI must not contain a user name or password: name a Secret in secretRef instead",
            field="trackingURI",
        ),
        _rule(
            "!has(self.registeredModelName) || !self.registeredModelName.matches('[/:\"\\']')",
            "registeredModelName must not contain a slash, a colon or a quotation mark",
            field="registeredModelName",
        ),
    )

    tracking_uri: Annotated[str, Meta(max_length=1024)] | None = None
    """trackingURI is the MLflow server, such as http://mlflow.mlops:5000. Absent: the operator's default."""

    experiment: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """experiment to log to. Absent: namespace/name of the monitor."""

    registered_model_name: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """registeredModelName is the model whose versions are made. Absent: namespace.name.

    Cannot be changed once set.
    """

    secret_ref: SecretRef | None = None
    """secretRef names a Secret whose keys become the container's environment:
    MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."""


class EnvVar(ApiModel, frozen=True, kw_only=True):
    """An environment variable of the containers."""

    schema: ClassVar[Mapping[str, Any]] = _rules(
        _rule(
            f"self.name != '{ENV_REQUEST}'",
            f"name must not be {ENV_REQUEST}: the operator sets it",
            field="name",
        ),
    )

    name: Name
    """name of the variable."""

    value: Text | None = None
    """value of the variable."""

    value_from: Annotated[dict[str, Any], Meta(extra_json_schema=_ANY_FIELDS)] | None = None
    """valueFrom takes the value from elsewhere, as in a pod: secretKeyRef, configMapKeyRef, fieldRef."""


Volume = Annotated[
    dict[str, Any],
    Meta(
        description="A volume as in a pod's spec: a name and one kind of source.",
        extra_json_schema={
            "properties": {
                "name": {
                    "description": "name that volumeMounts refer to.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 253,
                }
            },
            "required": ["name"],
            **_ANY_FIELDS,
        },
    ),
]


class VolumeMount(ApiModel, frozen=True, kw_only=True):
    """Where a volume is mounted."""

    name: Name
    """name of the volume."""

    mount_path: Annotated[str, Meta(min_length=1, max_length=1024)]
    """mountPath in the container."""

    sub_path: Text | None = None
    """subPath of the volume. Absent: its root."""

    read_only: bool | None = None
    """readOnly mounts it without the right to write."""


_Quantities = dict[str, Annotated[int | str, Meta(extra_json_schema={"x-kubernetes-int-or-string": True})]]


class Resources(ApiModel, frozen=True, kw_only=True):
    """Compute resources, as in a pod."""

    requests: _Quantities | None = None
    """requests is what the scheduler reserves."""

    limits: _Quantities | None = None
    """limits is what the container may use at most."""


class PodTemplate(ApiModel, frozen=True, kw_only=True):
    """What the pods of this monitor need beyond the operator's defaults."""

    service_account_name: Annotated[str, Meta(max_length=253)] | None = None
    """serviceAccountName runs the pods. Absent: selfheal-runner, which the operator keeps in the namespace.

    An account of your own needs the ClusterRole selfheal-runner bound in the namespace.
    """

    resources: Resources | None = None
    """resources of the container."""

    env: Annotated[list[EnvVar], Meta(max_length=64, extra_json_schema=_map_list("name"))] = []
    """env of the container."""

    volumes: Annotated[list[Volume], Meta(max_length=32, extra_json_schema=_map_list("name"))] = []
    """volumes of the pod, for example the claim that holds the data."""

    volume_mounts: Annotated[
        list[VolumeMount], Meta(max_length=32, extra_json_schema=_map_list("mountPath"))
    ] = []
    """volumeMounts of the container."""


class ModelMonitorSpec(ApiModel, frozen=True, kw_only=True):
    """What is watched, when, and what is done about it."""

    schema: ClassVar[Mapping[str, Any]] = _rules(
        _rule(
            "has(self.schedule) != has(self.intervalSeconds)",
            "set exactly one of schedule and intervalSeconds",
        ),
        _rule(
            "!has(self.warningThreshold) || self.warningThreshold <= self.threshold",
            "warningThreshold must be at most threshold",
            field="warningThreshold",
        ),
        _rule(
            "!has(self.signals)"
            " || !self.signals.exists(each, each.type in ['Performance', 'PredictionDrift'])"
            " || (has(self.dataset.columns) && has(self.dataset.columns.prediction))",
            "dataset.columns.prediction must name a column for Performance and PredictionDrift",
            field="signals",
        ),
        _rule(
            "!has(self.schedule) || !self.schedule.contains('TZ=')",
            "schedule must not contain a time zone: set timeZone instead",
            field="schedule",
        ),
        _rule(
            "!has(self.timeZone) || has(self.schedule)",
            "timeZone has a meaning only together with schedule",
            field="timeZone",
        ),
        _rule(
            # No function says whether a zone is known; but the hour of an unknown one is an error, and
            # an error is a refusal. Offsets and Local are known here, and are not names.
            "!has(self.timeZone) || (!self.timeZone.contains(':') && self.timeZone != 'Local'"
            " && timestamp(0).getHours(self.timeZone) >= 0)",
            "timeZone must be an IANA name, such as Europe/Berlin",
            field="timeZone",
        ),
        _rule(
            "!has(oldSelf.task) || (has(self.task) && self.task == oldSelf.task)",
            "task cannot be changed once set: make another ModelMonitor for another task",
            field="task",
        ),
        _rule(
            "!has(oldSelf.mlflow) || !has(oldSelf.mlflow.registeredModelName)"
            " || (has(self.mlflow) && has(self.mlflow.registeredModelName)"
            " && self.mlflow.registeredModelName == oldSelf.mlflow.registeredModelName)",
            "registeredModelName cannot be changed once set: make another ModelMonitor for another model",
            field="mlflow.registeredModelName",
        ),
    )

    dataset: Dataset
    """dataset names the two tables that are compared."""

    target: Annotated[str, Meta(min_length=1, max_length=256)]
    """target is the column that the model predicts. It is trained on, and left out of the drift share."""

    threshold: Annotated[float, Meta(ge=0, le=1)]
    """threshold: drift is declared when the share of drifted columns is greater than this. From 0 to 1."""

    warning_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """warningThreshold: a share of drifted columns greater than this, but not than threshold, is a Warning.

    It is reported, and never acted upon. At most threshold. Absent: there are no warnings.
    """

    drift: Drift = Drift()
    """drift says what counts as drift of a column, and when a full report is made."""

    signals: Annotated[list[Signal], Meta(max_length=10, extra_json_schema=_map_list("name"))] = []
    """signals are looked at beside the drift of the columns, each with a result of its own.

    A breached one is reported; it does not lead to a retraining.
    """

    schedule: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """schedule is when checks are due, in cron's five fields: minute hour day-of-month month day-of-week,
    or one of @hourly @daily @weekly @monthly @yearly. Exactly one of schedule and intervalSeconds is set."""

    interval_seconds: Annotated[int, Meta(ge=60, le=31_536_000)] | None = None
    """intervalSeconds is the time between two checks, at least 60.

    The phase is derived from the monitor's UID, so that monitors do not run in step.
    """

    time_zone: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """timeZone in which schedule is read, by its IANA name, for example Europe/Berlin. Absent: UTC."""

    spread_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """spreadSeconds delays each start by a share of this that is the monitor's own, derived from its UID.

    Monitors of one schedule then do not start in the same second. The slot stays what it is. Defaults to 0.
    """

    starting_deadline_seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None
    """startingDeadlineSeconds is how late a check may start. A slot that is later is passed over and counted
    in status.missedChecks. Absent: the newest slot that was missed is always caught up."""

    concurrency_policy: Literal["Forbid", "Replace"] = "Forbid"
    """concurrencyPolicy says what happens when a check is due while one runs. Defaults to Forbid.

    Forbid: it waits; when the running one has ended, the newest slot that is due is started.
    Replace: the running check is stopped, unless somebody asked for it.
    """

    successful_jobs_history_limit: Annotated[int, Meta(ge=0, le=100)] = 1
    """successfulJobsHistoryLimit is how many completed Jobs are kept, of checks and of retrainings each.

    Defaults to 1. Each stays for five minutes, and with 0 until there is a newer one: its name keeps its slot
    from being run twice."""

    failed_jobs_history_limit: Annotated[int, Meta(ge=0, le=100)] = 1
    """failedJobsHistoryLimit is how many failed Jobs are kept, of checks and of retrainings each.

    Defaults to 1. Those that were stopped by concurrencyPolicy Replace are among them."""

    suspend: bool = False
    """suspend stops new checks and retrainings; what runs, finishes. Defaults to false.

    Afterwards, the newest slot that passed meanwhile is caught up, and the others are counted as missed.
    """

    task: Task | None = None
    """task is Classification or Regression. Cannot be changed once set.

    Absent: inferred from the target by the first check, and shown in the status.
    """

    retraining: Retraining = Retraining()
    """retraining says what is done when drift is found."""

    mlflow: MLflow = MLflow()
    """mlflow says where runs are logged and models are registered."""

    pod_template: PodTemplate = PodTemplate()
    """podTemplate is what the monitor's pods need beyond the operator's defaults."""


# --- status -------------------------------------------------------------------------------------------------


class Condition(ApiModel, frozen=True, kw_only=True):
    """One aspect of the monitor's state, as in all of Kubernetes."""

    type: Annotated[str, Meta(max_length=316)]
    """type of the condition: Ready, DriftDetected or Retraining."""

    status: ConditionStatus
    """status is True, False or Unknown."""

    reason: Annotated[str, Meta(max_length=1024)]
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=32768)]
    """message is a sentence for people."""

    observed_generation: int | None = None
    """observedGeneration is the metadata.generation that the condition speaks of."""

    last_transition_time: Time
    """lastTransitionTime is when status last changed."""


class ActiveJob(ApiModel, frozen=True, kw_only=True):
    """A Job of this monitor that has not finished."""

    name: Name
    """name of the Job."""

    uid: Text
    """uid of the Job."""

    purpose: Purpose
    """purpose is Check or Retrain."""


class DriftedColumn(ApiModel, frozen=True, kw_only=True):
    """A column that drifted, and by how much."""

    name: Text
    """name of the column."""

    method: Text
    """method is Evidently's name of the test or distance."""

    score: Text
    """score is the p-value or the distance."""

    threshold: Text
    """threshold that the score was compared with."""


class MethodUse(ApiModel, frozen=True, kw_only=True):
    """How many columns of a kind one method judged."""

    kind: Text
    """kind is Numerical or Categorical."""

    method: Text
    """method is Evidently's name of the test or distance."""

    columns: int
    """columns is how many columns it judged."""


class SkippedColumn(ApiModel, frozen=True, kw_only=True):
    """A column that was not compared, and why."""

    name: Text
    """name of the column."""

    reason: Text
    """reason in a few words."""


class NewCategories(ApiModel, frozen=True, kw_only=True):
    """A categorical column with values that the reference does not have."""

    name: Text
    """name of the column."""

    categories: int
    """categories is how many new values there are."""

    rows: int
    """rows that hold one of them."""


class SignalStatus(ApiModel, frozen=True, kw_only=True):
    """What a check found of one signal."""

    name: Annotated[str, Meta(max_length=63)]
    """name of the signal in the spec."""

    type: Annotated[str, Meta(max_length=32)]
    """type of the signal in the spec."""

    result: SignalResult
    """result is Breached, WithinLimits or Unknown: nobody could tell."""

    reason: Annotated[str, Meta(max_length=64)]
    """reason is one word for programs."""

    value: Annotated[str, Meta(max_length=32)] | None = None
    """value with six significant digits, or whole if it is a count. Absent where it is not known."""

    message: Annotated[str, Meta(max_length=512)]
    """message is a sentence for people."""


class RowCounts(ApiModel, frozen=True, kw_only=True):
    """Rows that a check saw."""

    reference: int
    """reference is the number of rows in the reference data."""

    current: int
    """current is the number of rows in the current data, or in its window."""

    sampled: bool | None = None
    """sampled is true where a side had more rows than maxRows, and a sample was looked at."""

    without_timestamp: int | None = None
    """withoutTimestamp is how many rows of current were left out because nobody can read their timestamp."""


class LastCheck(ApiModel, frozen=True, kw_only=True):
    """The verdict of the newest check, written by its container."""

    slot: Time
    """slot is when the check was due."""

    job_name: Name
    """jobName is the Job that ran it."""

    start_time: Time | None = None
    """startTime of the container."""

    completion_time: Time | None = None
    """completionTime of the verdict."""

    result: CheckResult
    """result is NoDrift, Warning, Drift, Inconclusive or Error. Only Drift leads to a retraining."""

    reason: Text
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=4096)]
    """message is a sentence for people."""

    drift_share: Share | None = None
    """driftShare is the share of drifted columns, with four digits. Absent without a verdict."""

    columns_checked: int | None = None
    """columnsChecked is the number of columns compared."""

    columns_drifted: int | None = None
    """columnsDrifted is how many of them drifted."""

    top_drifted_columns: Annotated[list[DriftedColumn], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """topDriftedColumns are the drifted columns furthest beyond their thresholds, at most ten."""

    methods: Annotated[list[MethodUse], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """methods that judged the columns; MLflow has each column's. A change from one check to the next is told
    in message: it can move the verdict while the data stays."""

    skipped_columns: Annotated[list[SkippedColumn], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """skippedColumns were not compared; at most ten are listed, message says how many there are."""

    new_categories: Annotated[list[NewCategories], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """newCategories are columns with values that the reference lacks, most rows first, at most ten."""

    constant_columns: Annotated[list[Text], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """constantColumns hold one single value in the current data, and more in the reference; at most ten."""

    signals: Annotated[list[SignalStatus], Meta(max_length=10, extra_json_schema=_map_list("name"))] = []
    """signals of the spec, and what was found of each."""

    rows: RowCounts | None = None
    """rows that were read."""

    run_id: Text | None = None
    """runID is the MLflow run that holds every number and the report. Absent if MLflow was out of reach."""

    report_uri: Text | None = None
    """reportURI is Evidently's report, an artifact of that run."""

    observed_generation: int
    """observedGeneration is the metadata.generation whose spec the check followed."""


class HistoryEntry(ApiModel, frozen=True, kw_only=True):
    """One past verdict."""

    time: Time
    """time is the slot of the check."""

    result: CheckResult
    """result of the check."""

    drift_share: Share | None = None
    """driftShare of the check."""


class RetrainingStatus(ApiModel, frozen=True, kw_only=True):
    """What the operator remembers of retrainings."""

    count: int = 0
    """count is the number of retraining Jobs started; the next one's name is made from it."""

    last_start_time: Time | None = None
    """lastStartTime is when the newest one was started."""

    last_trigger_slot: Time | None = None
    """lastTriggerSlot is the slot of the check that led to it: one check leads to one retraining at most."""

    cooldown_until_time: Time | None = None
    """cooldownUntilTime is when the next one may start."""


class MetricComparison(ApiModel, frozen=True, kw_only=True):
    """One metric on the held-out rows."""

    name: Text
    """name of the metric."""

    candidate: Text | None = None
    """candidate is the value of the best candidate."""

    champion: Text | None = None
    """champion is the value of the model that was present before. Absent if there was none."""


class TrainingRows(ApiModel, frozen=True, kw_only=True):
    """Rows that a retraining used."""

    train: int
    """train is the number of rows that the candidates learnt from."""

    test: int
    """test is the number of rows held out for the scores."""


class LastRetraining(ApiModel, frozen=True, kw_only=True):
    """The outcome of the newest retraining, written by its container."""

    slot: Time
    """slot is the slot of the check that led to it."""

    job_name: Name
    """jobName is the Job that ran it."""

    start_time: Time | None = None
    """startTime of the container."""

    completion_time: Time | None = None
    """completionTime of the outcome."""

    result: RetrainResult
    """result is Registered, NotImproved or Failed."""

    reason: Text
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=4096)]
    """message is a sentence for people."""

    candidate: Text | None = None
    """candidate is the best one's name."""

    version: Text | None = None
    """version that was registered. Absent if none was."""

    champion_version: Text | None = None
    """championVersion is the version that was present before. Absent if there was none."""

    run_id: Text | None = None
    """runID is the parent MLflow run that holds the comparison."""

    metrics: Annotated[list[MetricComparison], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """metrics of the best candidate and of the champion, on the same held-out rows."""

    rows: TrainingRows | None = None
    """rows that were used."""

    observed_generation: int
    """observedGeneration is the metadata.generation whose spec the retraining followed."""


class ModelVersion(ApiModel, frozen=True, kw_only=True):
    """The version that a retraining registered last."""

    name: Text
    """name of the registered model."""

    version: Text
    """version in MLflow's registry."""

    previous_version: Text | None = None
    """previousVersion is the one that it replaced."""

    run_id: Text
    """runID is the MLflow run that trained it."""

    promoted_time: Time
    """promotedTime is when it was registered."""


class ModelMonitorStatus(ApiModel, frozen=True, kw_only=True):
    """What selfheal has seen and done.

    Containers write task, lastCheck, lastRetraining and model; the operator writes all else.
    """

    observed_generation: int | None = None
    """observedGeneration is the metadata.generation that the operator has acted upon."""

    task: Task | None = None
    """task is the task of the spec, or the one inferred from the target."""

    conditions: Annotated[list[Condition], Meta(extra_json_schema=_map_list("type"))] = []
    """conditions: Ready, DriftDetected and Retraining."""

    active: Annotated[list[ActiveJob], Meta(max_length=4, extra_json_schema=_map_list("name"))] = []
    """active are the Jobs of this monitor that have not reported yet, and retrainings that have not ended."""

    last_schedule_time: Time | None = None
    """lastScheduleTime is the newest slot that was started or passed over; it never goes back."""

    next_check_time: Time | None = None
    """nextCheckTime is when the next check is due, without its share of spreadSeconds.

    Absent while suspended or invalid."""

    last_successful_check_time: Time | None = None
    """lastSuccessfulCheckTime is when the newest check that could look completed."""

    last_failed_check_time: Time | None = None
    """lastFailedCheckTime is when the newest check that could not look ended."""

    missed_checks: int | None = None
    """missedChecks is the number of slots that passed without a check.

    After an outage only the newest due slot is caught up; the rest is counted here.
    """

    last_handled_check_request: Annotated[str, Meta(max_length=256)] | None = None
    """lastHandledCheckRequest is the newest token of the annotation selfheal.dev/check-requested-at that was
    answered by a check."""

    last_handled_retrain_request: Annotated[str, Meta(max_length=256)] | None = None
    """lastHandledRetrainRequest is the newest token of the annotation selfheal.dev/retrain-requested-at that
    was answered by a retraining."""

    last_check: LastCheck | None = None
    """lastCheck is the verdict of the newest check."""

    history: Annotated[list[HistoryEntry], Meta(max_length=10, extra_json_schema=_ATOMIC)] = []
    """history holds the newest ten verdicts, newest first."""

    retraining: RetrainingStatus = RetrainingStatus()
    """retraining is what the operator remembers of retrainings."""

    last_retraining: LastRetraining | None = None
    """lastRetraining is the outcome of the newest retraining."""

    model: ModelVersion | None = None
    """model is the version that a retraining registered last."""


ROOT_RULES: Mapping[str, Any] = _rules(
    _rule(
        f"self.metadata.name.size() <= {MAX_MONITOR_NAME}",
        f"metadata.name must be at most {MAX_MONITOR_NAME} characters: the names of Jobs are made from it",
    )
)
"""Rules on the whole object: only there is metadata.name in reach."""
