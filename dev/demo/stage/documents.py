"""The stage's documents: MLflow, and the tables behind a plain HTTP server."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from demo.datasets import synthetic
from demo.datasets.tables import CURRENT, REFERENCE
from demo.scenarios import SCENARIOS, SYNTHETIC
from demo.stage.workload import SCRATCH, Workload
from testbed.mlflow_server import ENVIRONMENT, server_script

MLFLOW_SERVICE: Final = "mlflow"
MLFLOW_PORT: Final = 5000
MLFLOW_URI: Final = f"http://{MLFLOW_SERVICE}:{MLFLOW_PORT}"
"""The tracking URI for pods in the stage's namespace."""
DATA_SERVICE: Final = "data"
DATA_PORT: Final = 8000
DATA_URL: Final = f"http://{DATA_SERVICE}:{DATA_PORT}"
"""The folder above all tables, for pods in the stage's namespace."""
GENERATOR: Final = "generator"
OWNER_LABEL: Final = {"app.kubernetes.io/part-of": "selfheal-demo"}


def stage_namespace(name: str) -> dict[str, Any]:
    """Return a namespace whose pods must keep to the restricted Pod Security profile."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted", **OWNER_LABEL}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def stage(namespace: str, *, image: str, data: Path) -> list[dict[str, Any]]:
    """Return all that the namespace needs beside ModelMonitors.

    Args:
        namespace: Where to put it.
        image: The image of the Jobs.
        data: The folder that `scenarios.write_tables` has filled.
    """
    return [
        *_mlflow(namespace, image).documents(),
        _generator(namespace),
        *(_tables(namespace, name, data) for name in _carried()),
        *_data(namespace, image).documents(),
    ]


def _mlflow(namespace: str, image: str) -> Workload:
    # A list replaces MLflow's own, and is compared to the whole Host header, port included.
    hosts = ["localhost:*", "127.0.0.1:*", f"{MLFLOW_SERVICE}:*", f"{MLFLOW_SERVICE}.{namespace}*"]
    listen = ("--host", "0.0.0.0", "--allowed-hosts", ",".join(hosts))  # noqa: S104 - in a pod of its own
    return Workload(
        name=MLFLOW_SERVICE,
        namespace=namespace,
        image=image,
        port=MLFLOW_PORT,
        script=server_script(Path(SCRATCH), MLFLOW_PORT, python="python", listen=listen),
        health_path="/health",
        env=ENVIRONMENT,
        memory="2Gi",
    )


def _data(namespace: str, image: str) -> Workload:
    """Serve what ConfigMaps carry, and the synthetic tables: too large for one, so the pod makes them."""
    return Workload(
        name=DATA_SERVICE,
        namespace=namespace,
        image=image,
        port=DATA_PORT,
        script=(
            f"python /{GENERATOR}/synthetic.py {SCRATCH}/{SYNTHETIC.name}\n"
            + "".join(f"ln -sfn /tables/{name} {SCRATCH}/{name}\n" for name in _carried())
            + f"exec python -m http.server {DATA_PORT} --directory {SCRATCH}\n"
        ),
        health_path=f"/{SYNTHETIC.name}/{CURRENT}",
        config_maps={f"/{GENERATOR}": GENERATOR, **{f"/tables/{name}": name for name in _carried()}},
    )


def _carried() -> Iterable[str]:
    return [each.name for each in SCENARIOS if each is not SYNTHETIC]


def _generator(namespace: str) -> dict[str, Any]:
    source = Path(synthetic.__file__).read_text()
    return _config_map(namespace, GENERATOR, data={"synthetic.py": source})


def _tables(namespace: str, name: str, data: Path) -> dict[str, Any]:
    """Carry a scenario's two tables: together less than the 1 MiB that a ConfigMap may hold."""
    files = {
        each: base64.b64encode((data / name / each).read_bytes()).decode() for each in (REFERENCE, CURRENT)
    }
    return _config_map(namespace, name, binaryData=files)


def _config_map(namespace: str, name: str, **content: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **content}
