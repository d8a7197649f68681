"""Tables in an object store: a real S3 server, and Arrow's client as the container uses it."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from objectstore.server import ROOT, S3Server
from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.sources.asked import Asked, ColumnChoice
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.parquet_files import ParquetReader
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
PREFIX = "SELFHEAL_CURRENT_"


def place(uri: str, *, prefix: str = PREFIX) -> Place:
    """Return the place of the current data, whose Secret is called lake."""
    source = DataSource.from_wire({"uri": uri, "secretRef": {"name": "lake"}})
    return Place(source=source, field="spec.dataset.current.uri", env_prefix=prefix)


def refused(uri: str, *, prefix: str = PREFIX) -> DataError:
    """Return the complaint about a place."""
    with pytest.raises(DataError) as caught:
        open_table(place(uri, prefix=prefix))
    return caught.value


def give(patch: pytest.MonkeyPatch, s3: S3Server, keys: tuple[str, str], *, prefix: str = PREFIX) -> None:
    """Set the environment that the operator makes of a Secret."""
    patch.setenv(f"{prefix}AWS_ACCESS_KEY_ID", keys[0])
    patch.setenv(f"{prefix}AWS_SECRET_ACCESS_KEY", keys[1])
    patch.setenv(f"{prefix}AWS_ENDPOINT_URL", s3.endpoint)


@pytest.fixture
def bucket(s3: S3Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket of this test's own, as the folder that it is, with root's keys in the environment."""
    give(monkeypatch, s3, ROOT)
    folder = s3.buckets / f"b{abs(hash(request.node.name))}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def put(path: Path, table: pd.DataFrame) -> None:
    """Write an object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False) if ".csv" in path.name else table.to_parquet(path)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.csv.gz", "t.csv.xz"])
def test_an_object_is_a_table(bucket: Path, name: str) -> None:
    """By its name, as on a volume."""
    put(bucket / "live" / name, TABLE)

    pd.testing.assert_frame_equal(frame(open_table(place(f"s3://{bucket.name}/live/{name}"))), TABLE)


@pytest.mark.parametrize("uri", ["live", "live/", "live/*/*.parquet", "live/day=2*/"])
def test_a_folder_or_a_glob_is_one_table_with_its_partitions(bucket: Path, uri: str) -> None:
    """Folders named key=value are columns, in the order of the objects' names."""
    for day in ("2026-11-23", "2026-11-22"):
        put(bucket / "live" / f"day={day}" / "part-0.parquet", TABLE)
    (bucket / "live" / "_SUCCESS").touch()
    if uri.endswith("2*/"):
        uri = "live/day=2*/*"

    table = frame(open_table(place(f"s3://{bucket.name}/{uri}")))

    assert table["a"].tolist() == [1, 2, 1, 2]
    assert table["day"].tolist() == ["2026-11-22"] * 2 + ["2026-11-23"] * 2


@pytest.mark.parametrize("uri", ["sales", "sales/*.parquet", "sal*"])
@pytest.mark.parametrize("log", ["_delta_log/0.json", ".hoodie/hoodie.properties"])
def test_a_table_with_a_log_is_refused(bucket: Path, log: str, uri: str) -> None:
    """Deleted rows would come back, as on a volume."""
    put(bucket / "sales" / "part-0.parquet", TABLE)
    (bucket / "sales" / log).parent.mkdir()
    (bucket / "sales" / log).write_text("{}")

    error = refused(f"s3://{bucket.name}/{uri}")

    assert error.reason is Reason.DATA_UNREADABLE
    assert "sales is a table of" in str(error)


@pytest.mark.parametrize("path", ["nothing.parquet", "no/folder/", "*.parquet"])
def test_what_is_not_in_a_bucket_is_not_found(bucket: Path, path: str) -> None:
    """The writer may not have delivered yet."""
    error = refused(f"s3://{bucket.name}/{path}")

    assert error.reason is Reason.DATA_NOT_FOUND
    assert "volume" not in str(error)


def test_a_bucket_that_is_not_there_is_not_found(bucket: Path) -> None:
    """A typing error in the address is told as one."""
    assert refused("s3://no-such-bucket/live/t.parquet").reason is Reason.DATA_NOT_FOUND
    assert refused("s3://no-such-bucket/live/*.parquet").reason is Reason.DATA_NOT_FOUND


@pytest.mark.parametrize(
    "keys",
    [(ROOT[0], "another-password"), ("nobody", "another-password"), ("bob", "bobs-password")],
    ids=["wrong secret key", "unknown access key", "an account without the right"],
)
@pytest.mark.parametrize("path", ["t.parquet", "*.parquet"])
def test_a_credential_that_is_not_let_in_is_told_without_it(
    s3: S3Server, bucket: Path, keys: tuple[str, str], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the Secret to correct, and nothing that is in it."""
    put(bucket / "t.parquet", TABLE)
    give(monkeypatch, s3, keys)

    error = refused(f"s3://{bucket.name}/{path}")

    assert error.reason is Reason.DATA_ACCESS_DENIED
    assert "Correct the keys of the Secret 'lake'" in str(error)
    assert "password" not in str(error)
    assert keys[0] not in str(error)


def test_a_secret_without_a_key_is_told_by_the_keys_name(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else AWS's own chain would go on to look elsewhere, and find somebody else's credential."""
    monkeypatch.delenv(f"{PREFIX}AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ROOT[1])

    error = refused(f"s3://{bucket.name}/t.parquet")

    assert error.reason is Reason.DATA_ACCESS_DENIED
    assert "no key AWS_SECRET_ACCESS_KEY" in str(error)


def test_two_sources_use_their_own_secrets(
    s3: S3Server, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference's keys are right, the current data's are wrong: one is read, the other is not."""
    put(bucket / "t.parquet", TABLE)
    give(monkeypatch, s3, (ROOT[0], "another-password"))
    give(monkeypatch, s3, ROOT, prefix="SELFHEAL_REFERENCE_")
    uri = f"s3://{bucket.name}/t.parquet"

    assert open_table(place(uri, prefix="SELFHEAL_REFERENCE_")).num_rows == 2
    assert refused(uri).reason is Reason.DATA_ACCESS_DENIED


def test_a_store_that_does_not_answer_is_unreachable(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the port, or the name is none."""
    for endpoint, said in (("http://127.0.0.1:9", "no connection"), ("http://no.such.host.invalid", "host")):
        monkeypatch.setenv(f"{PREFIX}AWS_ENDPOINT_URL", endpoint)

        error = refused(f"s3://{bucket.name}/t.parquet")

        assert error.reason is Reason.DATA_UNREACHABLE
        assert said in str(error)


@pytest.mark.parametrize("keep", [0, 3, 100, -1])
def test_half_a_parquet_file_is_told_as_one(bucket: Path, keep: int) -> None:
    """A writer that writes in place: the footer comes last."""
    put(bucket / "t.parquet", TABLE)
    whole = (bucket / "t.parquet").read_bytes()
    (bucket / "t.parquet").write_bytes(whole[:keep])

    error = refused(f"s3://{bucket.name}/t.parquet")

    assert error.reason is Reason.DATA_UNREADABLE
    assert "t.parquet is no Parquet file" in str(error)
    assert "rename the file when it is complete" in str(error)


@pytest.mark.parametrize("fate", ["vanished", "changed"])
def test_an_object_that_does_not_hold_still_is_told(
    bucket: Path, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read may be half of the old object and half of the new one."""
    target = bucket / "b.parquet"
    put(bucket / "a.parquet", TABLE)
    put(target, TABLE)
    read = ParquetReader.batches

    def meanwhile(self: ParquetReader, *arguments: Any) -> Any:
        if self.file.name == "a.parquet":
            target.unlink() if fate == "vanished" else put(target, TABLE.assign(a=[7, 8]).iloc[:1])
        return read(self, *arguments)

    monkeypatch.setattr(ParquetReader, "batches", meanwhile)

    error = refused(f"s3://{bucket.name}/")

    assert error.reason is Reason.DATA_UNREADABLE
    assert f"b.parquet {fate} while it was read" in str(error)


def test_files_whose_types_do_not_fit_together_are_told(bucket: Path) -> None:
    """A schema change in the middle of a folder: the column and both types."""
    put(bucket / "a.parquet", TABLE)
    put(bucket / "b.parquet", TABLE.assign(a=["one", "two"]))

    error = refused(f"s3://{bucket.name}/")

    assert error.reason is Reason.DATA_UNREADABLE
    assert "a.parquet and b.parquet hold 'a' as int64 and" in str(error)


def test_only_the_columns_that_are_asked_for_are_fetched(bucket: Path) -> None:
    """What is between them in the file stays in the store: it may not even be readable."""
    wide = pa.table({f"c{number}": pa.array(range(50_000)) for number in range(20)})
    pq.write_table(wide, bucket / "t.parquet", compression="none", use_dictionary=False)
    other = pq.read_metadata(bucket / "t.parquet").row_group(0).column(9)
    with (bucket / "t.parquet").open("r+b") as content:
        content.seek(other.data_page_offset)
        content.write(b"no page" * 100)
    table = open_table(
        place(f"s3://{bucket.name}/t.parquet"), Asked(columns=ColumnChoice(only=frozenset({"c3"})))
    )

    assert table.schema.names == ["c3"]
    assert table.column("c3").to_pylist() == list(range(50_000))
