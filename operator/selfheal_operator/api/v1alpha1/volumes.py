"""`spec.podTemplate.volumes`: the kinds of volumes that the pods of a monitor may have.

They are listed, so that no volume of the node (hostPath) and no token of another audience (projected) can be
asked for. What is listed has the fields that it has in a pod.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.schema import (
    ATOMIC,
    Name,
    Quantity,
    Resources,
    SecretRef,
    cel_rule,
    cel_rules,
    exactly_one,
    keys_of,
)

_Key = Annotated[str, Meta(min_length=1, max_length=253)]
_Mode = Annotated[int, Meta(ge=0, le=0o777)]


class KeyToPath(ApiModel, frozen=True, kw_only=True):
    """A key that becomes a file."""

    key: _Key
    """key of the ConfigMap or Secret."""

    path: Annotated[str, Meta(min_length=1, max_length=253)]
    """path of the file, relative to the mount."""

    mode: _Mode | None = None
    """mode bits of the file, 0 to 511."""


_Items = Annotated[list[KeyToPath], Meta(max_length=16, extra_json_schema=ATOMIC)]


class ConfigMapVolume(ApiModel, frozen=True, kw_only=True):
    """A ConfigMap in the monitor's namespace."""

    name: Name
    """name of the ConfigMap."""

    items: _Items | None = None
    """items are the keys that become files. Absent: all."""

    default_mode: _Mode | None = None
    """defaultMode bits of the files, 0 to 511. Absent: 420."""

    optional: bool | None = None
    """optional lets the pod start without it."""


class SecretVolume(ApiModel, frozen=True, kw_only=True):
    """A Secret in the monitor's namespace."""

    secret_name: Name
    """secretName is the name of the Secret."""

    items: _Items | None = None
    """items are the keys that become files. Absent: all."""

    default_mode: _Mode | None = None
    """defaultMode bits of the files, 0 to 511. Absent: 420."""

    optional: bool | None = None
    """optional lets the pod start without it."""


class ClaimVolume(ApiModel, frozen=True, kw_only=True):
    """A PersistentVolumeClaim in the monitor's namespace."""

    claim_name: Name
    """claimName is the name of the claim."""

    read_only: bool | None = None
    """readOnly mounts it without the right to write."""


class EmptyDirVolume(ApiModel, frozen=True, kw_only=True):
    """An empty directory that lives as long as the pod."""

    medium: Literal["Memory"] | None = None
    """medium is Memory, or absent: the node's disk."""

    size_limit: Quantity | None = None
    """sizeLimit is how much it may hold."""


class CSIVolume(ApiModel, frozen=True, kw_only=True):
    """A volume that a CSI driver of the cluster provides for this pod."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            keys_of("volumeAttributes", "key.size() <= 128"),
            "a key of volumeAttributes must be at most 128 characters",
            field="volumeAttributes",
        ),
    )

    driver: Name
    """driver is the name of the CSI driver."""

    read_only: bool | None = None
    """readOnly mounts it without the right to write."""

    fs_type: Annotated[str, Meta(max_length=63)] | None = None
    """fsType of the file system."""

    volume_attributes: (
        Annotated[dict[str, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | None
    ) = None
    """volumeAttributes are what the driver wants to know."""

    node_publish_secret_ref: SecretRef | None = None
    """nodePublishSecretRef is the Secret that the driver is given."""


AccessMode = Literal["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]


class ClaimSpec(ApiModel, frozen=True, kw_only=True):
    """What the claim asks for."""

    access_modes: Annotated[list[AccessMode], Meta(min_length=1, max_length=4, extra_json_schema=ATOMIC)]
    """accessModes of the volume."""

    resources: Resources
    """resources: requests.storage is the size."""

    storage_class_name: Annotated[str, Meta(max_length=253)] | None = None
    """storageClassName of the volume. Absent: the cluster's default."""


class ClaimTemplate(ApiModel, frozen=True, kw_only=True):
    """A claim that is made with the pod, and goes with it."""

    spec: ClaimSpec
    """spec of the claim."""


class EphemeralVolume(ApiModel, frozen=True, kw_only=True):
    """A volume that is provisioned for the pod, and goes with it."""

    volume_claim_template: ClaimTemplate
    """volumeClaimTemplate is the claim that is made."""


class Volume(ApiModel, frozen=True, kw_only=True):
    """A volume of the pod: a name and one kind."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            exactly_one("persistentVolumeClaim", "configMap", "secret", "emptyDir", "csi", "ephemeral"),
            "set exactly one of persistentVolumeClaim, configMap, secret, emptyDir, csi and ephemeral",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    """name that volumeMounts refer to."""

    persistent_volume_claim: ClaimVolume | None = None
    """persistentVolumeClaim mounts a claim."""

    config_map: ConfigMapVolume | None = None
    """configMap mounts the keys of a ConfigMap as files."""

    secret: SecretVolume | None = None
    """secret mounts the keys of a Secret as files."""

    empty_dir: EmptyDirVolume | None = None
    """emptyDir is an empty directory."""

    csi: CSIVolume | None = None
    """csi is a volume of a CSI driver."""

    ephemeral: EphemeralVolume | None = None
    """ephemeral is a volume that is provisioned for the pod."""
