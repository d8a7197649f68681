"""`spec.retraining` and `spec.mlflow`: what is done when drift is found, and where it is logged."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.pods import PodTemplate
from selfheal_operator.api.v1alpha1.schema import (
    CREDENTIALS,
    SecretRef,
    cel_rule,
    cel_rules,
    keys_of,
    map_list,
)
from selfheal_operator.api.v1alpha1.status import MOST_RUNS_PER_DAY


class Candidate(ApiModel, frozen=True, kw_only=True):
    """A model that a retraining tries."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "self.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
            "name must consist of lower case letters, digits and hyphens, with no hyphen at either end",
            field="name",
        ),
        cel_rule(
            keys_of("params", "key.size() <= 64"),
            "a name in params must be at most 64 characters",
            field="params",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    """name is how the candidate is called in MLflow and in the status; unique in the list."""

    estimator: Annotated[str, Meta(min_length=1, max_length=128)]
    """estimator is a scikit-learn class that fits the task, by its full name,
    for example sklearn.ensemble.RandomForestClassifier. lightgbm.LGBMClassifier and lightgbm.LGBMRegressor
    are accepted too; they need an image with LightGBM."""

    params: Annotated[dict[str, Annotated[str, Meta(min_length=1, max_length=512)]], Meta(max_length=32)] = {}
    """params are the keyword arguments of the estimator, for example {n_estimators: "200"}.

    Each is a string that is read as one YAML scalar or flow value: "100", "null", "l2", "{0: 1, 1: 5}".
    The keys of class_weight are read as classes of the target. For an estimator that holds another one, such
    as sklearn.model_selection.TunedThresholdClassifierCV, the parameter estimator is that one's full name.
    Absent ones keep scikit-learn's defaults; random_state and n_jobs are set from randomSeed and the
    container's CPUs where the estimator has them.
    """


class Search(ApiModel, frozen=True, kw_only=True):
    """How the hyperparameters of the candidates are searched."""

    trials: Annotated[int, Meta(ge=1, le=1000)] = 30
    """trials is the most sets of parameters that are tried. Defaults to 30.

    The search is seeded by randomSeed. MLflow has the number that was finished in time: with it as trials,
    a run is repeated.
    """

    timeout_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 600
    """timeoutSeconds is the most time that the search takes; a fit that has begun then is finished.
    Defaults to 600.

    A single set of parameters may take a fifth of it.
    """


class Retraining(ApiModel, frozen=True, kw_only=True):
    """What is done when drift is found."""

    mode: Literal["Auto", "Manual", "Disabled"] = "Auto"
    """mode says whether drift starts a retraining. Defaults to Auto.

    Auto: as soon as a check finds what spec.trigger says, unless something speaks against it.
    Manual: only when it is asked for; the Retraining condition says that one is due.
    Disabled: never.
    """

    cooldown_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 3600
    """cooldownSeconds is the least time between two starts of a retraining. Defaults to 3600.

    Drift seen meanwhile is reported, and acted upon once the cooldown is over if it still stands.
    Zero disables the cooldown.
    """

    max_runs_per_day: Annotated[int, Meta(ge=1, le=MOST_RUNS_PER_DAY)] = 4
    """maxRunsPerDay is how many retrainings may start within 24 hours, at most 24. Defaults to 4.

    Requested ones count, and are not held back. What is held back starts once it may.
    """

    max_consecutive_failures: Annotated[int, Meta(ge=1, le=100)] = 3
    """maxConsecutiveFailures is after how many retrainings that failed in a row none starts any more.

    The condition Stalled is then True, until spec is edited or a retraining is requested. Defaults to 3.
    """

    training_data: Literal["Auto", "Current", "Reference", "ReferenceAndCurrent"] = "Auto"
    """trainingData says what the candidates learn from. Defaults to Auto.

    Auto: the current data, and the reference too where that makes the candidates better on current data, by
    cross-validation. The held-out rows come from the current data, except for Reference.
    """

    test_fraction: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    """testFraction is the share of rows held out: the best candidate and the present version are scored on
    them.

    With a timestamp, in dataset.window or dataset.columns, they are the newest ones. Rows that the present
    version has learnt are not held out, and at most half of those that it has not. At least 20 are; to
    compare with a present version, at least 400 of the newest, if these are at most half of the new rows.
    More than 0, less than 1. Defaults to 0.2.
    """

    refit: bool | None = None
    """refit: whether the best candidate, once it has passed, is fitted again on all labelled rows before it
    is registered. Absent: true where the held-out rows are the newest, otherwise false."""

    random_seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 42
    """randomSeed makes the split and the training repeatable. Defaults to 42."""

    candidates: Annotated[list[Candidate], Meta(max_length=10, extra_json_schema=map_list("name"))] = []
    """candidates are the models to try; cross-validation on the training rows chooses one of them.

    Absent: a linear one (LogisticRegression or LinearRegression), a random forest, gradient boosting
    (HistGradientBoosting), and the present version with its answers recalibrated.
    """

    search: Search | None = None
    """search asks for a search of better parameters for the candidates. Absent: they are tried as they are.

    Parameters that a candidate sets stay as they are.
    """

    pod_template: PodTemplate = PodTemplate()
    """podTemplate overrides spec.podTemplate for retrainings: a field that is set here replaces the whole
    field there, for example resources, or a nodeSelector of a GPU pool."""

    def cooldown_end(self, started: datetime) -> datetime:
        """Return when the next retraining may start after one that was started then."""
        return started + timedelta(seconds=self.cooldown_seconds)


class MLflow(ApiModel, frozen=True, kw_only=True):
    """Where runs are logged and models are registered."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "!has(self.trackingURI) || self.trackingURI.matches('^https?://[^/?#]')",
            "trackingURI must be the http:// or https:// address of an MLflow server, "
            "such as http://mlflow.mlops:5000",
            field="trackingURI",
        ),
        cel_rule(
            f"!has(self.trackingURI) || !self.trackingURI.matches('{CREDENTIALS}')",
            "trackingURI must not contain a user name or password: name a Secret in secretRef instead",
            field="trackingURI",
        ),
        cel_rule(
            "!has(self.registeredModelName) || !self.registeredModelName.matches('[/:\"\\']')",
            "registeredModelName must not contain a slash, a colon or a quotation mark",
            field="registeredModelName",
        ),
        cel_rule(
            "!has(self.championAlias) || (self.championAlias.matches('^[A-Za-z0-9_-]+$')"
            " && !self.championAlias.matches('^([vV][0-9]+|latest)$'))",
            "championAlias must consist of letters, digits, hyphens and underscores, and be neither latest "
            "nor like v1, which MLflow reserves",
            field="championAlias",
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

    champion_alias: Annotated[str, Meta(min_length=1, max_length=255)] = "champion"
    """championAlias is the alias of the present version, which promotions move. Defaults to champion."""

    secret_ref: SecretRef | None = None
    """secretRef names a Secret whose keys become the container's environment:
    MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."""
