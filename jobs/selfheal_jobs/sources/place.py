"""A data source of the spec, and the complaints about it: each begins with the field that names it."""

from dataclasses import dataclass
from typing import Self

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import without_secrets
from selfheal_operator.api.names import ENV_PREFIX_CURRENT, ENV_PREFIX_LABELS, ENV_PREFIX_REFERENCE
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import VOLUME, DataSource, Labels, source_type
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A data source, the field that names it, and what the keys of its Secret are prefixed with."""

    source: DataSource
    field: str
    env_prefix: str = ""

    @classmethod
    def of_reference(cls, spec: ModelMonitorSpec) -> Self:
        """Return where the reference is."""
        source, field = spec.dataset.reference, "spec.dataset.reference.uri"
        return cls(source=source, field=field, env_prefix=ENV_PREFIX_REFERENCE)

    @classmethod
    def of_current(cls, spec: ModelMonitorSpec) -> Self:
        """Return where the current data is."""
        source, field = spec.dataset.current, "spec.dataset.current.uri"
        return cls(source=source, field=field, env_prefix=ENV_PREFIX_CURRENT)

    @classmethod
    def of_labels(cls, labels: Labels) -> Self:
        """Return where the labels are."""
        return cls(source=labels, field="spec.dataset.labels.uri", env_prefix=ENV_PREFIX_LABELS)

    @property
    def is_mounted(self) -> bool:
        """Return whether the data is on a volume of the pod."""
        return source_type(self.source.uri) is VOLUME

    @property
    def path(self) -> str:
        """Return the address without its scheme: what a file system is asked for."""
        uri = self.source.uri
        return uri.partition("://")[2] if source_type(uri).matches(uri) else uri

    @property
    def uri(self) -> str:
        """Return the address as it may be shown."""
        return without_secrets(self.source.uri)

    @property
    def secret(self) -> str | None:
        """Return the name of the Secret, if one is named."""
        return self.source.secret_ref.name if self.source.secret_ref else None

    def not_found(self, what: str) -> DataError:
        """Return the complaint that there is nothing to read."""
        volume = " and that podTemplate.volumeMounts mounts its volume there"
        remedy = f"check that the data was delivered{volume if self.is_mounted else ''}"
        return DataError(
            Reason.DATA_NOT_FOUND,
            f"{self.field}: {what} at {self.uri}. Correct the address, or {remedy}.",
        )

    def denied(self, why: str = "") -> DataError:
        """Return the complaint that we are not let in."""
        if self.secret:
            remedy = f"Correct the keys of the Secret {self.secret!r}, or let their owner read this."
        elif self.is_mounted:
            remedy = "Let user 65532 read it, for example by fsGroup, or correct the address."
        else:
            remedy = "Name a Secret in secretRef, or let the pod's own identity read this."
        said = f" ({without_secrets(why)})" if why else ""
        return DataError(
            Reason.DATA_ACCESS_DENIED, f"{self.field}: access is denied to {self.uri}{said}. {remedy}"
        )

    def unreachable(self, why: str) -> DataError:
        """Return the complaint that a server does not answer."""
        return DataError(
            Reason.DATA_UNREACHABLE,
            f"{self.field}: {self.uri} cannot be reached ({without_secrets(why)}). "
            f"The next check tries again; correct the address if it never succeeds.",
        )

    def unreadable(self, what: str) -> DataError:
        """Return the complaint that there is something, but not a table."""
        return DataError(
            Reason.DATA_UNREADABLE, f"{self.field}: {self.uri} cannot be read: {without_secrets(what)}"
        )

    def require_rows(self, rows: int) -> None:
        """Complain about a table without rows."""
        if rows == 0:
            raise DataError(
                Reason.EMPTY_DATA, f"{self.field}: {self.uri} has no rows. Check what writes this data."
            )
