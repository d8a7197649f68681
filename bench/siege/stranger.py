"""Whoever may write to MLflow: logs models of any files, and registers them under any name."""

import json
import logging
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import cloudpickle  # type: ignore[import-untyped]  # it has no types
import mlflow
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel

from siege import hostile_code
from siege.ground import HOME, Ground
from testbed.kubectl import Document
from testbed.mlflow_server import running_mlflow

# A run does not find these modules.
cloudpickle.register_pickle_by_value(hostile_code)

Files = Mapping[str, bytes]
_PICKLE: Final = "python_model.pkl"
_EXAMPLE: Final = pd.DataFrame({"x": [0.5], "z": [0.5]})


@dataclass(frozen=True, slots=True)
class Stranger:
    """A writer of one MLflow server.

    Args:
        uri: The server.
        harmless: The files of a model that always answers no, by their names.
    """

    uri: str
    harmless: Mapping[str, bytes] = field(repr=False)

    def registers(
        self,
        name: str,
        code: Callable[[], object] | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        files: Files | None = None,
    ) -> Document:
        """Register a version, and return it as MLflow describes it.

        Args:
            name: Of the registered model, and of the experiment.
            code: Runs when the model is unpickled, in a process that does not know this module.
            tags: Of the version.
            files: Further files of the model, by their names, or others in place of its own.
        """
        model_id = self.logs(name, code, files)
        return self.registers_source(name, f"models:/{model_id}", tags, model_id=model_id)

    def logs(self, name: str, code: Callable[[], object] | None = None, files: Files | None = None) -> str:
        """Log a model, and return its id."""
        stored = {**self.harmless, **(files or {})}
        if code is not None:
            stored[_PICKLE] = pickled(code)
        made = self.asks("POST", "logged-models", {"experiment_id": self.experiment(name), "name": "model"})
        model: Document = made["model"]["info"]
        for file, content in stored.items():
            self.puts(model["artifact_uri"], file, content)
        model_id: str = model["model_id"]
        self.asks(
            "PATCH", f"logged-models/{model_id}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"}
        )
        return model_id

    def registers_source(
        self, name: str, source: str, tags: Mapping[str, str] | None = None, **more: str
    ) -> Document:
        """Register what is at an address."""
        try:
            self.asks("POST", "registered-models/create", {"name": name})
        except urllib.error.HTTPError as error:
            error.close()  # it exists
        listed = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        document = {"name": name, "source": source, "tags": listed, **more}
        version: Document = self.asks("POST", "model-versions/create", document)["model_version"]
        return version

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, which is made if need be."""
        try:
            made: str = self.asks("POST", "experiments/create", {"name": name})["experiment_id"]
        except urllib.error.HTTPError as error:
            error.close()  # it exists
            found = self.asks("GET", f"experiments/get-by-name?experiment_name={quote(name, safe='')}")
            made = found["experiment"]["experiment_id"]
        return made

    def puts(self, place: str, file: str, content: bytes) -> None:
        """Write a file of a run or a model."""
        path = place.removeprefix("mlflow-artifacts:").strip("/")
        self._send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}/{file}", content).close()

    def texts(self, place: str) -> str:
        """Return all artifacts of a run, one after the other."""
        path = place.removeprefix("mlflow-artifacts:").strip("/")
        with self._send("GET", f"/api/2.0/mlflow-artifacts/artifacts?path={path}", None) as answer:
            names = [each["path"] for each in json.loads(answer.read()).get("files", [])]
        found = []
        for name in names:
            with self._send("GET", f"/api/2.0/mlflow-artifacts/artifacts/{path}/{name}", None) as answer:
                found.append(answer.read().decode(errors="replace"))
        return "\n".join(found)

    def versions(self, name: str) -> list[Document]:
        """Return the versions of a model, the newest first."""
        query = "model-versions/search?filter=" + quote(f"name = '{name}'", safe="")
        found: list[Document] = self.asks("GET", query).get("model_versions", [])
        return found

    def asks(self, method: str, path: str, document: Any = None) -> Any:
        """Send a request; raise HTTPError if it is refused."""
        body = None if document is None else json.dumps(document).encode()
        with self._send(method, f"/api/2.0/mlflow/{path}", body) as answer:
            return json.loads(answer.read() or b"{}")

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.uri + path, body, headers, method=method)  # noqa: S310 - ours
        return urllib.request.urlopen(request, timeout=60)  # noqa: S310 - as above


def stranger(ground: Ground) -> Stranger:
    """Return a writer of the real MLflow server of all runs."""
    return ground.server("MLflow", _server)


def own_name(monitor: str) -> str:
    """Return the name of a monitor's registered model."""
    return f"{HOME}.{monitor}"


class Trap:
    """Runs code where it is unpickled."""

    def __init__(self, code: Callable[[], object]) -> None:
        self._code = code

    def __reduce__(self) -> Any:
        return self._code, ()


def pickled(code: Callable[[], object]) -> bytes:
    """Return a pickle that runs code."""
    made: bytes = cloudpickle.dumps(Trap(code))
    return made


@contextmanager
def _server(ground: Ground) -> Iterator[Stranger]:
    folder = ground.folder / "mlflow"
    folder.mkdir(exist_ok=True)
    with running_mlflow(folder) as server:
        yield Stranger(server.uri, _harmless(ground.folder / "harmless"))


def _harmless(folder: Path) -> dict[str, bytes]:
    class No(PythonModel):
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - MLflow would read hints
            del context, params
            return ["no"] * len(model_input)

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        mlflow.pyfunc.save_model(
            folder, python_model=No(), pip_requirements=[], signature=infer_signature(_EXAMPLE)
        )
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
