"""`spec.podTemplate` and `spec.jobTemplate`: what the pods and Jobs of a monitor need."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.names import ENV_REQUEST, GROUP
from selfheal_operator.api.v1alpha1.schema import (
    ATOMIC,
    LabelValue,
    Name,
    Resources,
    SecretRef,
    Text,
    cel_rule,
    cel_rules,
    exactly_one,
    keys_of,
    map_list,
)
from selfheal_operator.api.v1alpha1.volumes import Volume

_Labels = Annotated[dict[str, LabelValue], Meta(max_length=16)]
_Annotations = Annotated[dict[str, Text], Meta(max_length=16)]

_SYSTEM_FOLDERS: Final = (
    "^/*$|(^|/)[.][.]?(/|$)|^/*(opt|usr|s?bin|lib[^/]*|etc|proc|sys|dev|run|var/+run|root)(/|$)"
)
"""Where a volume would change which program runs, what it believes in, or its account.

Kubernetes takes a relative path as one below /."""

_MAX_KEY: Final = 317
"""A DNS name of 253 characters, a slash and 63 characters."""


def _no_keys_of_ours(field: str) -> dict[str, str]:
    return cel_rule(
        keys_of(field, f"key.size() <= {_MAX_KEY} && !key.startsWith('{GROUP}/')"),
        f"a key of {field} must be at most {_MAX_KEY} characters, and must not begin with {GROUP}/: "
        "those are the operator's",
        field=field,
    )


class KeyRef(ApiModel, frozen=True, kw_only=True):
    """A key of a Secret or ConfigMap in the monitor's namespace."""

    name: Name
    """name of the Secret or ConfigMap."""

    key: Annotated[str, Meta(min_length=1, max_length=253)]
    """key that holds the value."""

    optional: bool | None = None
    """optional leaves the variable out where there is none."""


class FieldRef(ApiModel, frozen=True, kw_only=True):
    """A field of the pod."""

    field_path: Annotated[str, Meta(min_length=1, max_length=512)]
    """fieldPath is, for example, metadata.name or spec.nodeName."""


class EnvVarSource(ApiModel, frozen=True, kw_only=True):
    """Where the value of a variable comes from."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            exactly_one("secretKeyRef", "configMapKeyRef", "fieldRef"),
            "set exactly one of secretKeyRef, configMapKeyRef and fieldRef",
        ),
    )

    secret_key_ref: KeyRef | None = None
    """secretKeyRef takes it from a key of a Secret."""

    config_map_key_ref: KeyRef | None = None
    """configMapKeyRef takes it from a key of a ConfigMap."""

    field_ref: FieldRef | None = None
    """fieldRef takes it from a field of the pod."""


class EnvVar(ApiModel, frozen=True, kw_only=True):
    """An environment variable of the containers."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            f"self.name != '{ENV_REQUEST}'",
            f"name must not be {ENV_REQUEST}: the operator sets it",
            field="name",
        ),
        cel_rule(
            "!has(self.value) || !has(self.valueFrom)",
            "set value or valueFrom, not both",
            field="valueFrom",
        ),
    )

    name: Name
    """name of the variable."""

    value: Text | None = None
    """value of the variable."""

    value_from: EnvVarSource | None = None
    """valueFrom takes the value from elsewhere, as in a pod."""


class VolumeMount(ApiModel, frozen=True, kw_only=True):
    """Where a volume is mounted."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            f"!self.mountPath.matches('{_SYSTEM_FOLDERS}')",
            "mountPath must not be / or a folder of the system or the program (/opt, /usr, /bin, "
            "/sbin, /lib, /etc, /proc, /sys, /dev, /run, /var/run, /root), and have no . or .. in it: "
            "mount it below /data or /mnt",
            field="mountPath",
        ),
    )

    name: Name
    """name of the volume."""

    mount_path: Annotated[str, Meta(min_length=1, max_length=1024)]
    """mountPath in the container."""

    sub_path: Text | None = None
    """subPath of the volume. Absent: its root."""

    read_only: bool | None = None
    """readOnly mounts it without the right to write."""


class Toleration(ApiModel, frozen=True, kw_only=True):
    """A taint of nodes that the pods bear."""

    key: Annotated[str, Meta(max_length=317)] | None = None
    """key of the taint. Absent: all, with operator Exists."""

    operator: Literal["Exists", "Equal"] | None = None
    """operator is Exists or Equal. Absent: Equal."""

    value: Annotated[str, Meta(max_length=63)] | None = None
    """value of the taint, with operator Equal."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """effect of the taint. Absent: all."""

    toleration_seconds: int | None = None
    """tolerationSeconds is how long a NoExecute taint is borne. Absent: for ever."""


class PodTemplate(ApiModel, frozen=True, kw_only=True):
    """What the pods of this monitor need beyond the operator's defaults."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        _no_keys_of_ours("labels"),
        _no_keys_of_ours("annotations"),
        cel_rule(
            keys_of("nodeSelector", f"key.size() <= {_MAX_KEY}"),
            f"a key of nodeSelector must be at most {_MAX_KEY} characters",
            field="nodeSelector",
        ),
    )

    labels: _Labels | None = None
    """labels of the pods, beside the operator's own."""

    annotations: _Annotations | None = None
    """annotations of the pods, beside the operator's own."""

    service_account_name: Annotated[str, Meta(max_length=253)] | None = None
    """serviceAccountName runs the pods. Absent: selfheal-runner, which the operator keeps in the namespace.

    An account of your own needs the ClusterRole selfheal-runner bound in the namespace.
    """

    node_selector: _Labels | None = None
    """nodeSelector: labels that a node must have."""

    tolerations: Annotated[list[Toleration], Meta(max_length=16, extra_json_schema=ATOMIC)] | None = None
    """tolerations are the taints of nodes that the pods bear."""

    image_pull_secrets: (
        Annotated[list[SecretRef], Meta(max_length=8, extra_json_schema=map_list("name"))] | None
    ) = None
    """imagePullSecrets are the Secrets by which the node pulls the image."""

    priority_class_name: Annotated[str, Meta(max_length=253)] | None = None
    """priorityClassName of the pods."""

    runtime_class_name: Annotated[str, Meta(max_length=253)] | None = None
    """runtimeClassName of the pods."""

    resources: Resources | None = None
    """resources of the container."""

    env: Annotated[list[EnvVar], Meta(max_length=64, extra_json_schema=map_list("name"))] | None = None
    """env of the container."""

    volumes: Annotated[list[Volume], Meta(max_length=16, extra_json_schema=map_list("name"))] | None = None
    """volumes of the pod, for example the claim that holds the data."""

    volume_mounts: (
        Annotated[list[VolumeMount], Meta(max_length=16, extra_json_schema=map_list("mountPath"))] | None
    ) = None
    """volumeMounts of the container."""

    def overridden_by(self, other: "PodTemplate") -> "PodTemplate":
        """Return this template with the fields that the other one sets, each as a whole."""
        values = {name: getattr(other, name) for name in self.__struct_fields__}
        return self.replaced(**{name: value for name, value in values.items() if value is not None})


class JobTemplate(ApiModel, frozen=True, kw_only=True):
    """What the Jobs of this monitor carry beside the operator's own labels and annotations."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        _no_keys_of_ours("labels"), _no_keys_of_ours("annotations")
    )

    labels: _Labels | None = None
    """labels of the Jobs themselves, such as kueue.x-k8s.io/queue-name."""

    annotations: _Annotations | None = None
    """annotations of the Jobs themselves."""
