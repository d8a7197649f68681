"""The operator's settings, from its environment. The platform team sets them once, in the Deployment."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from selfheal_operator.core.observed import JobDefaults

PREFIX = "SELFHEAL_"


class Settings(BaseModel):
    """Each field is set by the environment variable SELFHEAL_ and its name in capitals."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    jobs_image: str = "selfheal-jobs:latest"
    """The image that checks and retrainings run."""
    jobs_image_pull_policy: str = "IfNotPresent"
    """As in a pod: Always, IfNotPresent or Never."""
    mlflow_tracking_uri: str | None = None
    """The MLflow server of monitors that name none."""
    check_deadline_seconds: Annotated[int, Field(ge=1)] = 3600
    """A check that has not ended by then is stopped."""
    retrain_deadline_seconds: Annotated[int, Field(ge=1)] = 21600
    """A retraining that has not ended by then is stopped."""
    job_ttl_seconds: Annotated[int, Field(ge=3600)] = 86400
    """Finished Jobs are removed after this. At least an hour: until it is in the status, a Job is the only
    record that its slot was started."""
    workers: Annotated[int, Field(ge=1, le=256)] = 32
    """Monitors that are worked on at the same time."""
    resync_seconds: Annotated[int, Field(ge=1)] = 600
    """How often everything is listed anew, for what the watch never told."""
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Where /livez, /readyz and /metrics are served; 0 for nowhere."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            pydantic.ValidationError: naming the variable that cannot be read.
        """
        named = {name: environment.get(PREFIX + name.upper()) for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in named.items() if value})

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
        )
