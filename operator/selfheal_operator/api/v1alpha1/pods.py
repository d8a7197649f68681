"""`spec.podTemplate`: what the pods of a monitor need."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.names import ENV_REQUEST
from selfheal_operator.api.v1alpha1.schema import ANY_FIELDS, Name, Text, cel_rule, cel_rules, map_list


class EnvVar(ApiModel, frozen=True, kw_only=True):
    """An environment variable of the containers."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            f"self.name != '{ENV_REQUEST}'",
            f"name must not be {ENV_REQUEST}: the operator sets it",
            field="name",
        ),
    )

    name: Name
    """name of the variable."""

    value: Text | None = None
    """value of the variable."""

    value_from: Annotated[dict[str, Any], Meta(extra_json_schema=ANY_FIELDS)] | None = None
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
            **ANY_FIELDS,
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

    env: Annotated[list[EnvVar], Meta(max_length=64, extra_json_schema=map_list("name"))] = []
    """env of the container."""

    volumes: Annotated[list[Volume], Meta(max_length=32, extra_json_schema=map_list("name"))] = []
    """volumes of the pod, for example the claim that holds the data."""

    volume_mounts: Annotated[
        list[VolumeMount], Meta(max_length=32, extra_json_schema=map_list("mountPath"))
    ] = []
    """volumeMounts of the container."""
