"""`spec.dataset`: the two tables that a check compares."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.schema import ATOMIC, CREDENTIALS, Name, cel_rule, cel_rules


class SourceType(NamedTuple):
    """How the addresses of one type of source begin; `selfheal_jobs.sources.types.<name>` reads it."""

    name: str
    schemes: tuple[str, ...]
    rest: str = "[^/?#]"
    """What has to follow `scheme://`, as a regular expression; by default the name of a host or a bucket."""

    def matches(self, uri: str) -> bool:
        """Return whether an address is of this type, in any case of letters.

        >>> SourceType("web", ("http", "https")).matches("HTTPS://lake/live.csv")
        True
        """
        scheme, separator, _ = uri.partition("://")
        return bool(separator) and scheme.lower() in self.schemes


VOLUME: Final = SourceType("volume", ("file",), rest="/")
_DATABASE: Final = SourceType("sql", ("sql",), rest="")
SOURCE_TYPES: Final = (
    VOLUME,
    SourceType("web", ("http", "https")),
    SourceType("s3", ("s3",)),
    SourceType("gcs", ("gs",)),
    SourceType("azure", ("az",)),
    _DATABASE,
)


def source_type(uri: str) -> SourceType:
    """Return the type of an address; one without a known scheme is a path on a mounted volume.

    >>> source_type("/data/live.csv").name, source_type("gs://lake/live.csv").name
    ('volume', 'gcs')
    """
    return next((each for each in SOURCE_TYPES if each.matches(uri)), VOLUME)


def names_server(uri: str) -> bool:
    """Return whether an address says where the data is: that of a database is in its Secret.

    >>> names_server("/data/live.csv"), names_server("sql://sales.churn")
    (True, False)
    """
    return source_type(uri) is not _DATABASE


_BEGINNINGS: Final = [(f"{scheme}://", each.rest) for each in SOURCE_TYPES for scheme in each.schemes]
_SHOWN: Final = [start + ("/" if rest == "/" else "") for start, rest in _BEGINNINGS]
UNKNOWN_ADDRESS: Final = (
    f"uri must be an absolute path, or start with {', '.join(_SHOWN[:-1])} or {_SHOWN[-1]}"
)


TIME_FORMAT: Final = "^(s|ms|us|ns|.*%[a-zA-Z].*)$"
"""An epoch unit, or a pattern of strptime, which has at least one directive."""


class DataSecretRef(ApiModel, frozen=True, kw_only=True):
    """A Secret in the monitor's namespace that lets one data source in."""

    name: Name
    """name of the Secret. Its keys reach the container as environment variables of this source alone.

    s3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.
    gs: GOOGLE_CREDENTIALS. az: AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN.
    http(s): username and password, or token. sql: the database's URL.
    """

    key: Annotated[str, Meta(min_length=1, max_length=253)] | None = None
    """key that holds the database's URL, such as postgresql://user:password@host/database.

    Only for sql://. Defaults to url.
    """


_SOURCE_RULES = (
    cel_rule(
        f"self.uri.matches('^({'|'.join(['/', *map(''.join, _BEGINNINGS)])})')",
        UNKNOWN_ADDRESS,
        field="uri",
    ),
    cel_rule(
        "!self.uri.matches('^https?://[^?#]*[*]')",
        "uri must name one file over http(s): a server cannot be asked which files a * stands for",
        field="uri",
    ),
    cel_rule(
        f"!self.uri.matches('{CREDENTIALS}')",
        "uri must not contain a user name or password: name a Secret in secretRef instead",
        field="uri",
    ),
    cel_rule(
        "!self.uri.startsWith('sql:') || self.uri.matches('^sql://([A-Za-z_][A-Za-z0-9_$]*[.])?[A-Za-z_][A-Za-z0-9_$]*$')"
        " || (self.uri == 'sql://' && has(self.query))",
        "uri must be sql:// and a table, with its schema or without, such as sql://sales.churn; "
        "for anything else write sql:// and a query",
        field="uri",
    ),
    cel_rule(
        "!has(self.query) || self.uri == 'sql://'",
        "query has a meaning only together with the uri sql://",
        field="query",
    ),
    cel_rule(
        "!self.uri.startsWith('sql:') || has(self.secretRef)",
        "secretRef must name the Secret that holds the database's URL",
        field="secretRef",
    ),
    cel_rule(
        "!has(self.secretRef) || !has(self.secretRef.key) || self.uri.startsWith('sql:')",
        "key has a meaning only for sql://: of other sources all keys of the Secret are used",
        field="secretRef",
    ),
    cel_rule(
        "!has(self.secretRef) || !self.uri.matches('^(/|file:)')",
        "secretRef has no meaning for a mounted volume",
        field="secretRef",
    ),
    cel_rule(
        "!has(self.format) || !self.uri.startsWith('sql:')",
        "format has no meaning for sql://",
        field="format",
    ),
)


class DataSource(ApiModel, frozen=True, kw_only=True):
    """Where a table is read from."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(*_SOURCE_RULES)

    uri: Annotated[str, Meta(min_length=1, max_length=1024)]
    """uri names a file, a folder or a glob, or a table of a database.

    An absolute path or file:// is on a mounted volume; s3://bucket/path, gs://bucket/path and
    az://container/path are in an object store; http(s):// is one file; sql://table or sql://schema.table is
    a table or view, and sql:// alone goes with query.
    A folder or a glob is read as one table: all its CSV and Parquet files, which must share their columns.
    Folders named key=value become columns.
    """

    format: Literal["CSV", "Parquet"] | None = None
    """format is CSV or Parquet. Absent: taken from the files' names (.csv, .csv.gz, .parquet, .pq)."""

    query: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    """query is a SELECT whose result is the table; with the uri sql://."""

    secret_ref: DataSecretRef | None = None
    """secretRef names the Secret that lets this source in. Absent: what the pod's own identity may read."""


class Labels(DataSource, frozen=True, kw_only=True):
    """Labels that arrive later than the rows that they belong to."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(*_SOURCE_RULES)

    join_column: Annotated[str, Meta(min_length=1, max_length=256)]
    """joinColumn is in the current data and in the labels, and tells which label belongs to which row."""

    delay_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    """delaySeconds is how long labels take: only rows that are older count where labels are needed.

    Signals and retrainings then use a window that is earlier by so much, as a whole, than the one whose
    columns are compared. Only with a window, whose timestampColumn tells how old a row is. Defaults to 0.
    """


class Window(ApiModel, frozen=True, kw_only=True):
    """The rows of the current data that count: a time span that ends at the scheduled time."""

    timestamp_column: Annotated[str, Meta(min_length=1, max_length=256)]
    """timestampColumn says when a row was made: a timestamp or date, ISO 8601 text, or an epoch number.

    Times without a zone are UTC. Numbers are seconds, milli-, micro- or nanoseconds, told by their size,
    unless format says more. Rows without a readable timestamp are left out and counted.
    """

    lookback_seconds: Annotated[int, Meta(ge=1, le=315_360_000)]
    """lookbackSeconds is the length of the window."""

    offset_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    """offsetSeconds is how long before the scheduled time the window ends, for late data. Defaults to 0."""

    format: Annotated[str, Meta(min_length=1, max_length=64, pattern=TIME_FORMAT)] | None = None
    """format of the timestamps where they are text or numbers that can be read in several ways.

    A pattern of strptime such as %Y%m%d for 20261122 or %d.%m.%Y %H:%M, or the unit of epoch numbers: s, ms,
    us or ns. Absent: ISO 8601 or an epoch number.
    """


_ColumnNames = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=128)]],
    Meta(max_length=200, extra_json_schema=ATOMIC),  # the whole request has to fit into 128 KiB
]


class Columns(ApiModel, frozen=True, kw_only=True):
    """What the columns are for."""

    prediction: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """prediction is the column that holds what the model predicted: neither compared nor learnt from.

    It is another column than the target.
    """

    timestamp: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """timestamp is the column that says when a row was made, where there is no window.

    Neither compared nor learnt from. A retraining orders the rows by it, and holds out the newest.
    """

    include: _ColumnNames = []
    """include lists the only columns that are compared and learnt from. Absent: all of the reference."""

    exclude: _ColumnNames = []
    """exclude lists columns that are neither compared nor learnt from, such as identifiers."""

    categorical: _ColumnNames = []
    """categorical lists columns of numbers that are codes: they are compared as categories."""


class ColumnPolicy(ApiModel, frozen=True, kw_only=True):
    """What becomes of columns that cannot be compared."""

    empty: Literal["Skip", "CountAsDrift", "Fail"] = "Skip"
    """empty is about columns that have values in the reference and none in the current data.

    Skip: they are left out. CountAsDrift: each counts as a drifted column. Fail: the check is an Error.
    Defaults to Skip.
    """

    missing: Literal["Fail", "Skip", "CountAsDrift"] = "Fail"
    """missing is about columns of the reference that the current data lacks. Defaults to Fail."""

    unexpected: Literal["Ignore", "Fail"] = "Ignore"
    """unexpected is about columns that only the current data has. Defaults to Ignore."""

    max_null_share: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """maxNullShare is by how much the share of missing values of a column may exceed the reference's.

    Where it is exceeded, the feed is taken for broken, and no retraining follows. From 0 to 1.
    Defaults to 0.5.
    """


class Dataset(ApiModel, frozen=True, kw_only=True):
    """The two tables that a check compares."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "!has(self.labels) || !has(self.labels.delaySeconds) || self.labels.delaySeconds == 0"
            " || has(self.window)",
            "delaySeconds has a meaning only together with dataset.window: "
            "name the column that tells how old a row is in its timestampColumn",
            field="labels.delaySeconds",
        ),
    )

    reference: DataSource
    """reference is the data that the present model was trained on: what normal looks like."""

    current: DataSource
    """current is the data that the model meets now."""

    labels: Labels | None = None
    """labels of the current data, if they arrive later than its rows. A retraining joins them."""

    window: Window | None = None
    """window says which rows of current count. Absent: all."""

    columns: Columns = Columns()
    """columns says what single columns are for."""

    column_policy: ColumnPolicy = ColumnPolicy()
    """columnPolicy says what becomes of columns that cannot be compared."""

    min_rows: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 100
    """minRows is how many rows either side needs for a verdict; with fewer a check is Inconclusive.

    Defaults to 100.
    """

    max_rows: Annotated[int, Meta(ge=1000, le=1_000_000_000)] = 1_000_000
    """maxRows is how many rows of a side a check looks at; of a larger one it takes a random sample.

    It is seeded by the scheduled time, so that a repeated check sees the same rows. Defaults to 1000000.
    """
