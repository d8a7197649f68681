"""The loop over an object store and a database: Secrets, a window and late labels, in real containers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from database.postgres import PostgresServer
from localcluster import LocalCluster
from objectstore.server import ROOT, S3Server
from support.builders.monitors import monitor_manifest, promise_slot, write_table
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(420)  # the first test also pays for the cluster, MLflow and the servers

SLOT = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS = 200


def secret(name: str, **values: str) -> dict[str, Any]:
    """Return a Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def write_current(postgres: PostgresServer, table: pd.DataFrame) -> None:
    """Write the rows into the database without their labels, the newer half of them after the slot."""
    ages = pd.Series(range(len(table))) - len(table) // 2
    rows = table.drop(columns="churned").assign(
        customer=range(len(table)), created=SLOT + pd.to_timedelta(ages, unit="s")
    )
    engine = sa.create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"))
    rows.to_sql("live", engine, schema="public", index=False, if_exists="replace")
    engine.dispose()


@pytest.fixture(scope="module")
def kubectl(  # noqa: PLR0917  each is a server that the monitors need
    cluster: LocalCluster,
    installation: Path,
    mlflow_uri: str,
    s3: S3Server,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kubectl]:
    """A namespace with two monitors, of which one has the wrong Secret, and an operator that sees to them."""
    folder = tmp_path_factory.mktemp("sources")
    (s3.buckets / "lake").mkdir()
    write_table(s3.buckets / "lake" / "train.parquet", rows=3000, shift=0, seed=1)
    moved = pd.read_parquet(write_table(folder / "moved.parquet", rows=3000, shift=1.5, seed=2))
    write_current(postgres, moved)
    labels = pd.DataFrame({"customer": range(3000), "churned": moved["churned"]})
    labels.to_csv(s3.buckets / "lake" / "labels.csv.gz", index=False)
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "sources")
    kubectl("create", "namespace", "sources")
    keys = {"AWS_ENDPOINT_URL": s3.endpoint, "AWS_ACCESS_KEY_ID": ROOT[0]}
    kubectl.apply(
        secret("lake", **keys, AWS_SECRET_ACCESS_KEY=ROOT[1]),
        secret("stale", **keys, AWS_SECRET_ACCESS_KEY="the-password-of-last-year"),
        secret("warehouse", uri=postgres.url),
        *(monitor_manifest(name, reference="", current="", dataset=dataset(key)) for name, key in MONITORS),
    )
    for name, _ in MONITORS:
        promise_slot(kubectl, name)
    operator = Operator(installation, folder / "operator", mlflow_tracking_uri=mlflow_uri)
    try:
        operator.start()
        yield kubectl
    finally:
        operator.stop()
        kubectl("delete", "namespace", "sources", "--wait=false")


MONITORS = (("churn", "lake"), ("locked-out", "stale"))


def dataset(key: str) -> dict[str, Any]:
    """Return where everything is; the reference is read with the Secret of that name."""
    return {
        "reference": {"uri": "s3://lake/train.parquet", "secretRef": {"name": key}},
        "current": {
            "uri": "sql://",
            "query": "SELECT * FROM live ORDER BY customer",
            "secretRef": {"name": "warehouse", "key": "uri"},
        },
        "labels": {
            "uri": "s3://lake/labels.csv.gz",
            "joinColumn": "customer",
            "secretRef": {"name": "lake"},
        },
        "window": {"timestampColumn": "created", "lookbackSeconds": 1000},
    }


def reached(kubectl: Kubectl, name: str, field: str) -> dict[str, Any]:
    """Return a part of the status of a monitor once it is there."""

    def status() -> Any:
        return kubectl.get("modelmonitor", name).get("status", {}).get(field)

    eventually(lambda: status() is not None, f"{name} has {field}", timeout_seconds=PATIENCE_SECONDS)
    found: dict[str, Any] = status()
    return found


def test_a_check_reads_both_sides_with_their_own_secrets(kubectl: Kubectl) -> None:
    """The thousand rows of the window; neither the key nor the timestamps are compared."""
    check = reached(kubectl, "churn", "lastCheck")

    assert (check["result"], check["rows"]["reference"], check["rows"]["current"]) == ("Drift", 3000, 1000)
    assert {column["name"] for column in check["topDriftedColumns"]} == {"age", "income", "tenure", "usage"}
    assert check["columnsChecked"] == 5


def test_a_retraining_learns_from_labels_that_came_later(kubectl: Kubectl) -> None:
    """The rows of the window have no label in the database: it comes from the lake."""
    retraining = reached(kubectl, "churn", "lastRetraining")

    assert (retraining["result"], retraining["rows"]) == ("Registered", {"train": 800, "test": 200})


def test_a_refused_credential_is_told_in_the_status(kubectl: Kubectl) -> None:
    """With the name of the Secret to correct, and nothing of what is in it."""
    check = reached(kubectl, "locked-out", "lastCheck")

    assert (check["result"], check["reason"]) == ("Error", "DataAccessDenied")
    assert "Secret 'stale'" in check["message"]
    everything = kubectl("get", "modelmonitors,events,jobs", "-o", "yaml")
    assert "password-of-last-year" not in everything
    assert "pa55" not in everything
