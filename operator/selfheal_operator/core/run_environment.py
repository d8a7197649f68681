"""The environment of a container: the request, and what the platform team permits the run. Pure."""

from typing import Any, Final

from selfheal_operator.api.names import (
    ENV_ALLOWED_URIS,
    ENV_DATA_PATHS,
    ENV_JOB_UID,
    ENV_MAX_DOWNLOAD_BYTES,
    ENV_REQUEST,
    LABEL_JOB_UID,
)
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.pods import PodTemplate
from selfheal_operator.core.observed import JobDefaults
from selfheal_operator.core.quantities import bytes_of

_STORAGE: Final = "ephemeral-storage"


def environment_of(request: RunRequest, template: PodTemplate, defaults: JobDefaults) -> list[dict[str, Any]]:
    """Return the variables of a container: the user's, and then the operator's, which replace the user's.

    They are always set, also to nothing: a key of a Secret with such a name would count otherwise.
    """
    ours = {
        ENV_ALLOWED_URIS: ",".join(defaults.allowed_uris),
        ENV_DATA_PATHS: ":".join([*_mount_paths(template), *defaults.data_paths]),
        ENV_MAX_DOWNLOAD_BYTES: str(_most_bytes(template, defaults)),
        ENV_REQUEST: request.to_json(),
    }
    label = {"fieldPath": f"metadata.labels['{LABEL_JOB_UID}']"}
    uid = {"name": ENV_JOB_UID, "valueFrom": {"fieldRef": label}}
    set_by_us = {*ours, ENV_JOB_UID}
    theirs = [variable.to_wire() for variable in template.env or () if variable.name not in set_by_us]
    return [*theirs, uid, *({"name": name, "value": _escaped(value)} for name, value in ours.items())]


def _mount_paths(template: PodTemplate) -> list[str]:
    return [mount.mount_path for mount in template.volume_mounts or ()]


def _most_bytes(template: PodTemplate, defaults: JobDefaults) -> int:
    """Return the largest download: half of the pod's disk at most, since the rows are spooled beside it."""
    limits = (template.resources and template.resources.limits) or {}
    disk = bytes_of(limits[_STORAGE]) if _STORAGE in limits else None
    return defaults.max_download_bytes if disk is None else min(defaults.max_download_bytes, disk // 2)


def _escaped(value: str) -> str:
    """Escape a value: Kubernetes expands $(NAME) in it, and $$ is a dollar."""
    return value.replace("$", "$$")
