"""The answers of MLflow's REST API, as far as they are read. Pure.

Whoever may name a tracking server may answer as one, and a proxy in front of it answers in its own way: an
answer of another shape is an error that says what is wrong with it, without its values.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

_YEAR_10000_MS: Final = 253_402_300_800_000
"""In milliseconds since 1970: Python's times end before it."""

Answer = TypeVar("Answer", bound=Struct)
Text = Annotated[str, Meta(min_length=1, max_length=5_000)]
"""An id, a name or a status: MLflow stores at most 5,000 characters of a tag, and less of these."""
Milliseconds = Annotated[int, Meta(ge=0, lt=_YEAR_10000_MS)]
VersionNumber = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class UnreadableAnswerError(Exception):
    """An answer has another shape than MLflow's API documents."""


class Tag(Struct, frozen=True):
    """A tag of an experiment, a run or a version."""

    key: str
    value: str = ""


class ExperimentAnswer(Struct, frozen=True):
    """An experiment."""

    experiment_id: Text
    lifecycle_stage: str = ""
    tags: Sequence[Tag] = ()


class FoundExperiment(Struct, frozen=True):
    """The answer of `experiments/get-by-name`."""

    experiment: ExperimentAnswer


class RunInfo(Struct, frozen=True):
    """What identifies a run, and where its artifacts are."""

    run_id: Text
    status: Text
    artifact_uri: str = ""


class RunData(Struct, frozen=True):
    """What has been logged to a run."""

    tags: Sequence[Tag] = ()


class RunAnswer(Struct, frozen=True):
    """A run."""

    info: RunInfo
    data: RunData = RunData()


class CreatedRun(Struct, frozen=True):
    """The answer of `runs/create`."""

    run: RunAnswer


class FoundRuns(Struct, frozen=True):
    """The answer of `runs/search`."""

    runs: Sequence[RunAnswer] = ()


class VersionAnswer(Struct, frozen=True):
    """A model version."""

    name: Text
    version: VersionNumber
    creation_timestamp: Milliseconds
    tags: Sequence[Tag] = ()
    run_id: str | None = None
    source: str | None = None

    @property
    def created(self) -> datetime:
        """The time when it was registered."""
        return datetime.fromtimestamp(self.creation_timestamp / 1000, UTC)


class FoundVersion(Struct, frozen=True):
    """The answer of `model-versions/get`, `model-versions/create` and `registered-models/alias`."""

    model_version: VersionAnswer


class FoundVersions(Struct, frozen=True):
    """The answer of `model-versions/search`."""

    model_versions: Sequence[VersionAnswer] = ()


def read(kind: type[Answer], document: Any) -> Answer:
    """Return an answer by its type; numbers may be text, as Protobuf writes long ones in JSON.

    Raises:
        UnreadableAnswerError: It has another shape; the message names the field.
    """
    try:
        return convert(document, kind, strict=False)
    except ValidationError as error:
        raise UnreadableAnswerError(str(error)) from error


def values_of(tags: Sequence[Tag]) -> Mapping[str, str]:
    """Return the values of tags by their keys."""
    return {tag.key: tag.value for tag in tags}
