"""A data source of the spec, and its errors: each message begins with the field of the spec."""

from typing import Self

from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import without_secrets
from selfheal_operator.api.names import ENV_PREFIX_CURRENT, ENV_PREFIX_LABELS, ENV_PREFIX_REFERENCE
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import VOLUME, DataSource, Labels, names_server, source_type
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


class Place(Struct, frozen=True, kw_only=True):
    """A data source, its field in the spec, and the prefix of its Secret's environment variables."""

    source: DataSource
    field: str
    env_prefix: str = ""

    @classmethod
    def of_reference(cls, spec: ModelMonitorSpec) -> Self:
        """Return the place of the reference."""
        source, field = spec.dataset.reference, "spec.dataset.reference.uri"
        return cls(source=source, field=field, env_prefix=ENV_PREFIX_REFERENCE)

    @classmethod
    def of_current(cls, spec: ModelMonitorSpec) -> Self:
        """Return the place of the current data."""
        source, field = spec.dataset.current, "spec.dataset.current.uri"
        return cls(source=source, field=field, env_prefix=ENV_PREFIX_CURRENT)

    @classmethod
    def of_labels(cls, labels: Labels) -> Self:
        """Return the place of the labels."""
        return cls(source=labels, field="spec.dataset.labels.uri", env_prefix=ENV_PREFIX_LABELS)

    @property
    def is_mounted(self) -> bool:
        """Return whether the data is on a volume of the pod."""
        return source_type(self.source.uri) is VOLUME

    @property
    def has_address(self) -> bool:
        """Return whether the spec has the address of the data; that of a database is in its Secret."""
        return names_server(self.source.uri)

    @property
    def path(self) -> str:
        """Return the address without its scheme, as file systems take it."""
        uri = self.source.uri
        return uri.partition("://")[2] if source_type(uri).matches(uri) else uri

    @property
    def uri(self) -> str:
        """Return the address without secrets, for messages."""
        return without_secrets(self.source.uri)

    @property
    def secret(self) -> str | None:
        """Return the name of the Secret, if one is named."""
        return self.source.secret_ref.name if self.source.secret_ref else None

    def not_found(self, what: str) -> DataError:
        """Return the error for missing data (DataNotFound)."""
        volume = (
            " and that podTemplate.volumeMounts mounts its volume there"
            " (or that the operator's SELFHEAL_DATA_PATHS names its folder)"
        )
        remedy = f"check that the data was delivered{volume if self.is_mounted else ''}"
        return DataError(
            Reason.DATA_NOT_FOUND,
            f"{self.field}: {what} at {self.uri}. Correct the address, or {remedy}.",
        )

    def denied(self, why: str = "") -> DataError:
        """Return the error for denied access (DataAccessDenied)."""
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

    def forbidden(self, why: str) -> DataError:
        """Return the error for an address that no run may read, whoever asks for it (DataAccessDenied)."""
        return DataError(
            Reason.DATA_ACCESS_DENIED, f"{self.field}: {self.uri} is not read: {without_secrets(why)}."
        )

    def unreachable(self, why: str) -> DataError:
        """Return the error for a server that does not respond (DataUnreachable)."""
        return DataError(
            Reason.DATA_UNREACHABLE,
            f"{self.field}: {self.uri} cannot be reached ({without_secrets(why)}). "
            f"The next check tries again; correct the address if it never succeeds.",
        )

    def unreadable(self, what: str) -> DataError:
        """Return the error for data that is not a table (DataUnreadable)."""
        return DataError(
            Reason.DATA_UNREADABLE, f"{self.field}: {self.uri} cannot be read: {without_secrets(what)}"
        )

    def require_rows(self, rows: int) -> None:
        """Raise DataError for a table without rows."""
        if rows == 0:
            raise DataError(
                Reason.EMPTY_DATA, f"{self.field}: {self.uri} has no rows. Check what writes this data."
            )
