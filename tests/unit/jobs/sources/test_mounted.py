"""Files outside the volumes of a pod, which hold its token and the values of its Secrets."""

import sqlite3
from pathlib import Path

import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

CSV = "a\n1\n2\n"


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mounted volume; beside it is a file that is none of the user's."""
    (tmp_path / "data" / "live").mkdir(parents=True)
    (tmp_path / "data" / "live" / "t.csv").write_text(CSV)
    (tmp_path / "database").mkdir()
    for outside in (tmp_path / "token.csv", tmp_path / "database" / "token.csv"):
        outside.write_text("the-token\n1\n")
    monkeypatch.setenv("SELFHEAL_DATA_PATHS", f"{tmp_path / 'data'}:/nowhere")
    return tmp_path / "data"


def refused(uri: str) -> DataError:
    """Return the complaint about an address."""
    with pytest.raises(DataError) as caught:
        read(uri)
    return caught.value


def read(uri: str) -> int:
    """Return the number of rows at an address."""
    return open_table(Place(source=DataSource(uri=uri), field="spec.dataset.current.uri")).num_rows


@pytest.mark.parametrize("path", ["live/t.csv", "live", "", "live/*.csv", "*/t.csv", "live/../live/t.csv"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_files_of_a_volume_are_read(volume: Path, path: str, scheme: str) -> None:
    """However they are named."""
    assert read(f"{scheme}{volume}/{path}") == 2


@pytest.mark.parametrize(
    "path",
    [
        "data/../token.csv",
        "data/live/../../token.csv",
        "token.csv",
        "*.csv",
        "database/token.csv",
        "data/../missing.csv",
    ],
)
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_files_outside_are_not(volume: Path, path: str, scheme: str) -> None:
    """The answer is the same whether or not there is a file."""
    error = refused(f"{scheme}{volume.parent}/{path}")

    assert error.reason is Reason.DATA_NOT_FOUND
    assert "no volume is mounted at" in str(error)
    assert "podTemplate.volumeMounts" in str(error)


@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/proc/self/root/etc/passwd", "/dev/stdin", "/etc/passwd"]
)
def test_what_is_the_systems_is_never_read(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Not even where all of the file system may be read."""
    monkeypatch.setenv("SELFHEAL_DATA_PATHS", "/" if path != "/etc/passwd" else "/data")

    assert refused(path).reason is Reason.DATA_NOT_FOUND


@pytest.mark.parametrize("address", ["live", "live/*.csv", "live/link.csv"])
def test_a_link_out_of_a_volume_is_refused(volume: Path, address: str) -> None:
    """Who may write to the data does not choose what of the pod is read."""
    (volume / "live" / "link.csv").symlink_to(volume.parent / "token.csv")

    error = refused(f"{volume}/{address}")

    assert "the-token" not in str(error)
    assert error.reason in {Reason.DATA_ACCESS_DENIED, Reason.DATA_NOT_FOUND}


def test_a_folder_that_links_out_of_a_volume_is_refused(volume: Path) -> None:
    """Listed or named."""
    (volume / "live" / "linked").symlink_to(volume.parent / "database")

    assert refused(f"{volume}/live/linked/token.csv").reason is Reason.DATA_NOT_FOUND
    assert refused(f"{volume}/live/linked").reason is Reason.DATA_NOT_FOUND
    assert refused(f"{volume}/live/*/*.csv").reason in {Reason.DATA_ACCESS_DENIED, Reason.DATA_NOT_FOUND}


def test_a_link_within_a_volume_is_followed(volume: Path) -> None:
    """As the keys of a ConfigMap are, which Kubernetes mounts as links."""
    (volume / "..data").mkdir()
    (volume / "..data" / "t.csv").write_text(CSV)
    (volume / "t.csv").symlink_to("..data/t.csv")

    assert read(f"{volume}/t.csv") == 2


def test_a_database_in_a_file_is_on_a_volume_too(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Secret names the file."""
    source = DataSource.from_wire({"uri": "sql://t", "secretRef": {"name": "warehouse"}})
    place = Place(source=source, field="spec.dataset.current.uri", env_prefix="SELFHEAL_CURRENT_")
    for folder in (volume, volume.parent):
        with sqlite3.connect(folder / "churn.db") as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    monkeypatch.setenv("SELFHEAL_CURRENT_url", f"sqlite:///{volume}/churn.db")
    assert open_table(place).num_rows == 1
    monkeypatch.setenv("SELFHEAL_CURRENT_url", f"sqlite:///{volume}/../churn.db")

    with pytest.raises(DataError, match="no volume is mounted"):
        open_table(place)


def test_a_run_by_hand_reads_any_file(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No operator has said what is mounted."""
    monkeypatch.delenv("SELFHEAL_DATA_PATHS")

    assert read(f"{volume.parent}/token.csv") == 1
