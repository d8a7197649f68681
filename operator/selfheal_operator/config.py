"""The operator's settings, from its environment. The platform team sets them once, in the Deployment."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from selfheal_operator.api.allowed_uris import is_pattern
from selfheal_operator.api.model import first_violation
from selfheal_operator.api.names import JOBS_IMAGE
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.capacity import Limits
from selfheal_operator.core.leadership import Durations
from selfheal_operator.core.observed import JobDefaults

PREFIX = "SELFHEAL_"
NamespaceName = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]

FolderPath = Annotated[str, Meta(pattern="^/", max_length=1024)]
_SEPARATORS = {"namespaces": ",", "allowed_uris": ",", "data_paths": ":"}


class SettingError(ValueError):
    """A setting is invalid: the platform team must edit the Deployment."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is set by the environment variable SELFHEAL_ and its name in capitals."""

    jobs_image: str = JOBS_IMAGE
    """The image that checks and retrainings run."""
    jobs_image_pull_policy: str = "IfNotPresent"
    """As in a pod: Always, IfNotPresent or Never."""
    mlflow_tracking_uri: str | None = None
    """The MLflow server of monitors whose spec names none."""
    check_deadline_seconds: Annotated[int, Meta(ge=1)] = 3600
    """A check that has not ended by then is stopped."""
    retrain_deadline_seconds: Annotated[int, Meta(ge=1)] = 21600
    """A retraining that has not ended by then is stopped."""
    job_ttl_seconds: Annotated[int, Meta(ge=3600)] = 86400
    """Finished Jobs are deleted after this time. At least an hour, because a Job is the only record that its
    slot was started until the status contains it."""
    run_storage_limit: Annotated[str, Meta(max_length=32, pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$")] = "10Gi"
    """The limit of a run's /tmp, and of all its local storage (ephemeral-storage), in Mi, Gi or Ti. At least
    100Mi. A monitor whose podTemplate.resources name ephemeral-storage sets its own."""
    allowed_uris: tuple[str, ...] = ()
    """Patterns of the addresses of data and of MLflow that a spec may name, separated by commas, such as
    s3://lake/*; empty for any address. A * stands for any characters, in a host for any but a slash. The
    default MLflow server needs no pattern."""
    data_paths: tuple[FolderPath, ...] = ()
    """Folders of the jobs' image that a spec may read files from, separated by colons; by default only the
    volumes that its podTemplate mounts."""
    max_download_bytes: Annotated[int, Meta(ge=1)] = 8 << 30
    """The largest file that a run downloads over http(s), at most half of its limit of ephemeral-storage."""
    max_active_checks: Annotated[int, Meta(ge=0)] = 500
    """Checks that may run at once in all namespaces; 0 for any number. The others wait; the namespace with
    the fewest active checks goes first, and within it the oldest slot."""
    max_active_checks_per_namespace: Annotated[int, Meta(ge=0)] = 100
    """Checks that may run at once in one namespace; 0 for any number."""
    max_active_retrains: Annotated[int, Meta(ge=0)] = 50
    """Retrainings that may run at once in all namespaces; 0 for any number."""
    max_active_retrains_per_namespace: Annotated[int, Meta(ge=0)] = 10
    """Retrainings that may run at once in one namespace; 0 for any number."""
    namespaces: tuple[NamespaceName, ...] = ()
    """The namespaces that this operator serves, separated by commas; empty for all."""
    leader_election: bool | None = None
    """Whether replicas elect a leader with a Lease, and the others are standbys. If not set, only if
    POD_NAMESPACE names the Lease's namespace."""
    lease_duration_seconds: Annotated[int, Meta(ge=3, le=300)] = 10
    """A standby takes over if the leader has not renewed the Lease for this long."""
    lease_renew_deadline_seconds: Annotated[int, Meta(ge=2)] = 7
    """A leader whose last renewal is older sends no more writes. Must be less than lease_duration_seconds."""
    lease_retry_seconds: Annotated[int, Meta(ge=1)] = 2
    """How often a leader renews the Lease. Must be less than lease_renew_deadline_seconds."""
    api_requests_per_second: Annotated[float, Meta(gt=0)] = 500
    """The long-term rate of requests to the API server. A Retry-After from it holds back all requests."""
    api_burst: Annotated[int, Meta(ge=1)] = 1000
    """Requests that may be sent at once after a pause."""
    workers: Annotated[int, Meta(ge=1, le=256)] = 32
    """Monitors that are reconciled concurrently."""
    resync_seconds: Annotated[int, Meta(ge=1)] = 600
    """How often everything is listed to find changes that the watch missed."""
    health_port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """The port of /livez, /readyz and /metrics; 0 to disable them."""
    metrics_authorization: bool = False
    """Whether /metrics needs a bearer token whose holder may get the nonResourceURL /metrics. The operator
    then needs the right to create TokenReviews and SubjectAccessReviews."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    pod_name: str | None = None
    """The operator's pod, by which a leader is known. From POD_NAME, as is the next from POD_NAMESPACE."""
    pod_namespace: str | None = None
    """Where the Lease is."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            SettingError: A variable is invalid; the message names it.
        """
        texts = {name: environment.get(variable_of(name)) for name in cls.__struct_fields__}
        given: dict[str, Any] = {name: text for name, text in texts.items() if text}
        for name, separator in _SEPARATORS.items():
            if name in given:
                parts = (part.strip() for part in given[name].split(separator))
                given[name] = tuple(dict.fromkeys(part for part in parts if part))
        try:
            return msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as error:
            path, problem = first_violation(error)
            raise SettingError(f"{variable_of(path[0])}: {problem}" if path else problem) from error

    def __post_init__(self) -> None:
        """Validate combinations of settings, and what no schema says."""
        _ = self.lease_durations
        if no_pattern := next((each for each in self.allowed_uris if not is_pattern(each)), None):
            raise ValueError(f"SELFHEAL_ALLOWED_URIS: {no_pattern!r} has no scheme, such as s3://lake/*")
        if self.leader_election and self.pod_namespace is None:
            raise ValueError(
                "SELFHEAL_LEADER_ELECTION is on, but POD_NAMESPACE does not say where the Lease is to be"
            )

    @property
    def lease_namespace(self) -> str | None:
        """The Lease's namespace; None disables leader election."""
        return None if self.leader_election is False else self.pod_namespace

    @property
    def lease_durations(self) -> Durations:
        """The timing of leader election."""
        return Durations(
            lease=self.lease_duration_seconds,
            renew_deadline=self.lease_renew_deadline_seconds,
            retry=self.lease_retry_seconds,
        )

    @property
    def limits(self) -> dict[Purpose, Limits]:
        """How many Jobs may be active at once."""
        return {
            Purpose.CHECK: Limits(self.max_active_checks, self.max_active_checks_per_namespace),
            Purpose.RETRAIN: Limits(self.max_active_retrains, self.max_active_retrains_per_namespace),
        }

    @property
    def job_defaults(self) -> JobDefaults:
        """What every Job gets."""
        return JobDefaults(
            image=self.jobs_image,
            image_pull_policy=self.jobs_image_pull_policy,
            tracking_uri=self.mlflow_tracking_uri,
            check_deadline_seconds=self.check_deadline_seconds,
            retrain_deadline_seconds=self.retrain_deadline_seconds,
            ttl_seconds=self.job_ttl_seconds,
            storage=self.run_storage_limit,
            allowed_uris=self.allowed_uris,
            data_paths=self.data_paths,
            max_download_bytes=self.max_download_bytes,
        )


def variable_of(name: str) -> str:
    """Return the environment variable of a setting; those set by the downward API have no prefix."""
    return name.upper() if name in {"pod_name", "pod_namespace"} else PREFIX + name.upper()
