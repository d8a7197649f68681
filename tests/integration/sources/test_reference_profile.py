"""Profiles in MLflow: a real server of it, of references on a read-only volume and in a real S3 store."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from objectstore.server import ROOT, S3Server
from selfheal_jobs.check.run import look, run_check
from selfheal_jobs.reference_profile import opening
from selfheal_jobs.reference_profile.beside import Beside
from selfheal_jobs.sources.parquet_files import ParquetReader
from selfheal_jobs.tracking.rest_client import Experiment, MLflowServer, reach
from selfheal_jobs.transport.json_http import Server
from selfheal_jobs.transport.retry_policy import STANDARD
from selfheal_operator.api.request import RunRequest
from support.builders.profiled_checks import by_profile, columns_read, profiles, stored, told
from support.builders.run_requests import run_request
from support.fakes.inbox import Inbox

ROWS = 3_000


def table(seed: int) -> pd.DataFrame:
    """Return one column of measurements, and others of few values."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "measured": random.normal(size=ROWS),
            "age": random.integers(18, 90, size=ROWS),
            "plan": random.choice(["a", "b", "c"], size=ROWS),
            "label": random.integers(0, 2, size=ROWS),
        }
    )


@dataclass(frozen=True)
class Pointer:
    """The tag of an experiment that says where its profile is."""

    server: MLflowServer
    experiment: Experiment
    tag: str

    @property
    def address(self) -> str:
        """Return where it points to."""
        return self.experiment.tags[self.tag]

    def to(self, address: str) -> None:
        """Have it point elsewhere."""
        self.server.tag_experiment(self.experiment.experiment_id, self.tag, address)


def pointer(request: RunRequest) -> Pointer:
    """Return that of the request's experiment."""
    server = reach(request.mlflow.tracking_uri, STANDARD)
    experiment = server.find_experiment(request.mlflow.experiment)
    assert experiment is not None
    (tag,) = [each for each in experiment.tags if each.startswith("selfheal.referenceProfile.")]
    return Pointer(server, experiment, tag)


def check(request: RunRequest) -> None:
    """Run a whole check."""
    run_check(request, Inbox(), lambda: datetime.now(UTC))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request to MLflow."""
    found: list[str] = []
    really = Server.call

    def call(self: Server, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        found.append(f"{method} {path.partition('?')[0].removeprefix('/api/2.0/')}")
        return really(self, method, path, *arguments, **options)

    monkeypatch.setattr(Server, "call", call)
    return found


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every column that is read of the reference."""
    found: list[str] = []
    really = ParquetReader.batches

    def batches(self: ParquetReader, names: Sequence[str], *others: Any) -> Iterator[pa.RecordBatch]:
        found.extend(name for name in names if self.file.name == "reference.parquet")
        return really(self, names, *others)

    monkeypatch.setattr(ParquetReader, "batches", batches)
    return found


@pytest.fixture
def read_only(tmp_path: Path, mlflow_uri: str, monkeypatch: pytest.MonkeyPatch) -> RunRequest:
    """A check of files on a volume that is mounted read-only."""
    monkeypatch.setattr(opening, "LEAST_BYTES", 0)
    monkeypatch.setattr(opening, "LEAST_BYTES_FOR_MLFLOW", 0)
    monkeypatch.setattr(Beside, "is_writable", lambda _: False)
    stored(table(1), tmp_path / "reference.parquet")
    stored(table(2), tmp_path / "current.parquet")
    return run_request(
        reference=tmp_path / "reference.parquet",
        current=tmp_path / "current.parquet",
        mlflow={"trackingURI": mlflow_uri, "experiment": f"profile/{tmp_path.name}"},
    )


def test_the_next_check_finds_it_by_two_requests(read_only: RunRequest, calls: list[str]) -> None:
    """One for the experiment, whose tag says where it is, and one for the artifact; else only the first."""
    check(read_only)
    calls.clear()
    seen = look(read_only)

    experiment, artifact = calls
    assert experiment == "GET mlflow/experiments/get-by-name"
    assert artifact.startswith("GET mlflow-artifacts/artifacts/")
    assert by_profile(seen)
    assert columns_read(seen) == {"measured"}

    calls.clear()
    other = look(read_only.replaced(spec=read_only.spec.replaced(target="plan")))

    assert not by_profile(other)
    assert calls == [experiment]


def test_the_verdict_is_the_same(read_only: RunRequest) -> None:
    """Down to the last digit, and nothing was written to the volume."""
    before = look(read_only)
    check(read_only)
    after = look(read_only)

    assert not by_profile(before)
    assert by_profile(after)
    assert told(read_only, after) == told(read_only, before)
    assert profiles(Path(read_only.spec.dataset.reference.uri).parent) == []


def test_a_changed_reference_takes_its_place(read_only: RunRequest) -> None:
    """The tag then points to the newest."""
    check(read_only)
    path = Path(read_only.spec.dataset.reference.uri)
    stored(table(7), path, 1_710_000_000_000_000_000)
    assert not by_profile(look(read_only))

    check(read_only.replaced(job_name="churn-check-2"))

    assert by_profile(look(read_only))


def test_a_run_that_was_deleted_takes_its_profile_along(read_only: RunRequest) -> None:
    """The reference is read, and the next run holds a new one."""
    check(read_only)
    pointed = pointer(read_only)
    pointed.to(f"{pointed.address}.gone")

    assert not by_profile(look(read_only))
    check(read_only.replaced(job_name="churn-check-2"))
    assert by_profile(look(read_only))


def test_an_address_of_another_store_is_not_followed(read_only: RunRequest) -> None:
    """Whoever may write tags of experiments must not send a check anywhere."""
    check(read_only)
    pointed = pointer(read_only)
    for address in ("file:///etc/passwd", "http://127.0.0.1:9/x", "mlflow-artifacts://elsewhere/x", ""):
        pointed.to(address)
        seen = look(read_only)
        assert seen.problem is None
        assert not by_profile(seen)


def test_of_an_object_only_what_a_method_needs_is_fetched(
    s3: S3Server, read_only: RunRequest, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed object is told by its time, which the store sets."""
    for name, value in zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ROOT, strict=True):
        monkeypatch.setenv(f"SELFHEAL_REFERENCE_{name}", value)
    monkeypatch.setenv("SELFHEAL_REFERENCE_AWS_ENDPOINT_URL", s3.endpoint)
    bucket = s3.buckets / "profiled"
    bucket.mkdir()
    local = Path(read_only.spec.dataset.reference.uri)
    shutil.copy2(local, bucket / "reference.parquet")
    request = run_request(
        dataset={
            "reference": {"uri": "s3://profiled/reference.parquet", "secretRef": {"name": "lake"}},
            "current": {"uri": read_only.spec.dataset.current.uri},
        },
        mlflow={"trackingURI": read_only.mlflow.tracking_uri, "experiment": "profile/of-an-object"},
    )
    before = look(request)
    check(request)
    read.clear()
    after = look(request)

    assert by_profile(after)
    assert set(read) == {"measured"}
    assert told(request, after) == told(request, before)
    os.utime(bucket / "reference.parquet", (1_720_000_000, 1_720_000_000))
    assert not by_profile(look(request))
    shutil.rmtree(bucket)
