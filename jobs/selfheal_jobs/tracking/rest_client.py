"""Client of MLflow's REST API for experiments, runs (metrics, params, tags) and artifacts.

MLflow's own client takes two seconds to import, more than the rest of a check. The API is documented at
https://mlflow.org/docs/latest/api_reference/rest-api.html; environment variables have the same meaning as in
MLflow. Model versions and aliases are in `model_registry`.
"""

import json
import logging
import math
import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.redaction import masked, one_line, without_secrets
from selfheal_jobs.tracking.artifact_folder import require_kept
from selfheal_jobs.tracking.authentication import authentication
from selfheal_jobs.tracking.mlflow_answers import (
    Answer,
    CreatedRun,
    ExperimentAnswer,
    FoundExperiment,
    FoundRuns,
    RunAnswer,
    UnreadableAnswerError,
    read,
    values_of,
)
from selfheal_jobs.tracking.run_tags import OURS
from selfheal_jobs.transport.forbidden_addresses import ForbiddenAddressError
from selfheal_jobs.transport.json_http import UNREACHABLE, AnswerError, Server
from selfheal_jobs.transport.retry_policy import STANDARD, RetryPolicy

logger = logging.getLogger(__name__)

_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
"""HTTP status codes after which MLflow's own client retries."""
_CODE: Final = re.compile("[A-Z_]{1,64}")
_MOST: Final = {"metrics": 800, "params": 100, "tags": 100}
"""Limits per log-batch request: MLflow accepts 100 params, 100 tags, and 1,000 entries in total."""


class RefusedError(TrackingError):
    """The server answered with an error.

    Args:
        sentence: The message.
        code: MLflow's error code, such as RESOURCE_DOES_NOT_EXIST; empty if the response is not MLflow's.
    """

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class Run(Struct, frozen=True):
    """A run on the server."""

    run_id: str
    status: str
    artifact_uri: str
    tags: Mapping[str, str]


class Experiment(Struct, frozen=True):
    """An experiment on the server."""

    experiment_id: str
    tags: Mapping[str, str]


class MLflowServer(Struct, frozen=True):
    """A tracking server. Methods raise TrackingError if it cannot be reached or rejects the request."""

    server: Server
    retries: RetryPolicy = STANDARD

    def experiment_id(self, name: str) -> str:
        """Return the experiment's id; create the experiment if it does not exist."""
        found = self._experiment(name)
        if found is None:
            try:
                return self.ask_for(
                    ExperimentAnswer, "POST", "experiments/create", {"name": name}
                ).experiment_id
            except RefusedError as error:
                if error.code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = self._experiment(name)  # another monitor's Job has created it meanwhile
        if found is None or found.lifecycle_stage == "deleted":
            raise TrackingError(
                f"MLflow's experiment {name!r} is deleted. Restore it, or set spec.mlflow.experiment "
                f"to another."
            )
        return found.experiment_id

    def _experiment(self, name: str) -> ExperimentAnswer | None:
        query = urlencode({"experiment_name": name})
        found = self.find(FoundExperiment, f"experiments/get-by-name?{query}")
        return found.experiment if found else None

    def find_experiment(self, name: str) -> Experiment | None:
        """Return the experiment; None if there is none, or it is deleted."""
        found = self._experiment(name)
        if found is None or found.lifecycle_stage == "deleted":
            return None
        return Experiment(found.experiment_id, values_of(found.tags))

    def tag_experiment(self, experiment_id: str, key: str, value: str) -> None:
        """Set a tag of an experiment."""
        document = {"experiment_id": experiment_id, "key": key, "value": value}
        self.ask("POST", "experiments/set-experiment-tag", document)

    def search_runs(self, experiment_id: str, condition: str) -> list[Run]:
        """Return the runs that meet a condition, newest first."""
        question = {"experiment_ids": [experiment_id], "filter": condition, "max_results": 100}
        return [_run(each) for each in self.ask_for(FoundRuns, "POST", "runs/search", question).runs]

    def create_run(self, experiment_id: str, name: str, tags: Mapping[str, str]) -> Run:
        """Start a run."""
        document = {
            "experiment_id": experiment_id,
            "run_name": name,
            "start_time": _now(),
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        return _run(self.ask_for(CreatedRun, "POST", "runs/create", document).run)

    def log(
        self,
        run: Run,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        step: int = 0,
    ) -> None:
        """Log metrics, params and tags in as few requests as MLflow's limits allow."""
        now = _now()
        entries: dict[str, list[dict[str, Any]]] = {
            "metrics": [
                {"key": key, "value": _json_number(value), "timestamp": now, "step": step}
                for key, value in (metrics or {}).items()
            ],
            "params": [{"key": key, "value": masked(value)} for key, value in (params or {}).items()],
            "tags": [{"key": key, "value": _shown(key, value)} for key, value in (tags or {}).items()],
        }
        for batch in _batches(entries):
            self.ask("POST", "runs/log-batch", {"run_id": run.run_id} | batch)

    def end_run(self, run: Run, status: str = "FINISHED") -> None:
        """End a run."""
        document = {"run_id": run.run_id, "status": status, "end_time": _now()}
        self.ask("POST", "runs/update", document)

    def log_text(self, run: Run, name: str, text: str) -> None:
        """Log a text as an artifact of a run, without values of Secrets.

        Raises:
            TrackingError: Also if it would be lost with this pod.
        """
        text = masked(text)
        if (path := _served_path(run.artifact_uri)) is None:
            require_kept(run.artifact_uri)
            _log_text_by_mlflow(self.server.url, run, name, text)
            return
        self.ask("PUT", _artifact(f"{path}/{name}"), text.encode(), base="/api/2.0/")

    def log_json(self, run: Run, name: str, text: str) -> str:
        """Log JSON as an artifact of a run, and return its address for `artifact`.

        Raises:
            TrackingError: Also if the server does not proxy artifacts.
        """
        _require_served(run.artifact_uri)
        self.log_text(run, name, text)
        return f"{run.artifact_uri}/{name}"

    def artifact(self, address: str) -> Any:
        """Return the content of a JSON artifact."""
        return self.ask("GET", _artifact(_require_served(address)), base="/api/2.0/")

    def find(self, kind: type[Answer], path: str) -> Answer | None:
        """Return the answer at a path; None if it does not exist."""
        try:
            return self.ask_for(kind, "GET", path)
        except RefusedError as error:
            if error.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def ask_for(self, kind: type[Answer], method: str, path: str, document: Any = None) -> Answer:
        """Send a request as `ask` does, and return an answer of one type.

        Raises:
            TrackingError: Also if the answer has another shape.
        """
        try:
            return read(kind, self.ask(method, path, document))
        except UnreadableAnswerError as error:
            address = without_secrets(self.server.url)
            raise TrackingError(
                f"MLflow at {address} answered what cannot be read ({one_line(error)})."
            ) from error

    def ask(self, method: str, path: str, document: Any = None, *, base: str = "/api/2.0/mlflow/") -> Any:
        """Send a request, retry transient errors, and return the response's document."""

        def attempt() -> Any:
            return self.server.call(
                method,
                base + path,
                document,
                content_type="text/plain" if isinstance(document, bytes) else "application/json",
                timeout_seconds=self.retries.timeout_seconds,
            )

        try:
            return self.retries.call(attempt, is_transient=_is_transient) or {}
        except (AnswerError, *UNREACHABLE) as error:
            if _is_transient(error):
                raise self._absent(error) from error
            raise self._refused(error) from error

    def _absent(self, error: Exception) -> TrackingError:
        logger.info("MLflow does not answer: %s", one_line(error))
        return TrackingError(f"MLflow at {without_secrets(self.server.url)} could not be reached.")

    def _refused(self, error: Exception) -> RefusedError:
        # Of the answer's body only MLflow's code is shown: the author of a spec may name any server.
        code = _error_code(error.body) if isinstance(error, AnswerError) else ""
        why = f"{one_line(error)} {code}".rstrip()
        return RefusedError(f"MLflow at {without_secrets(self.server.url)} refused ({why}).", code)


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, AnswerError):
        return error.status in _TRANSIENT
    return isinstance(error, UNREACHABLE) and not isinstance(error, ForbiddenAddressError)


def reach(uri: str, retries: RetryPolicy, environment: Mapping[str, str] = os.environ) -> MLflowServer:
    """Return the server at an address, with the credentials of the environment, without sending a request.

    All clients of one address share one connection.
    """
    settings = tuple(sorted((name, value) for name, value in environment.items() if _matters(name)))
    return MLflowServer(_server(uri.rstrip("/"), settings), retries)


def _matters(variable: str) -> bool:
    return variable.startswith("MLFLOW_") or variable.lower().endswith("_proxy")


@cache
def _server(url: str, settings: tuple[tuple[str, str], ...]) -> Server:
    environment = dict(settings)
    # Only for https: reading the system's certificates takes as long as the requests themselves.
    context = _context(environment) if url.startswith("https://") else None
    return Server(url, headers=authentication(environment), context=context)


def _context(environment: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=environment.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None)
    if environment.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate := environment.get("MLFLOW_TRACKING_CLIENT_CERT_PATH"):
        context.load_cert_chain(certificate)
    return context


def _error_code(body: str) -> str:
    try:
        code = str(json.loads(body)["error_code"])
    except (ValueError, LookupError, TypeError, RecursionError):  # an error page of a proxy
        return ""
    return code if _CODE.fullmatch(code) else ""


def _json_number(value: float) -> float | str:
    """Encode NaN and infinities, which JSON lacks, as Protobuf's JSON mapping does."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _run(found: RunAnswer) -> Run:
    info = found.info
    return Run(info.run_id, info.status, info.artifact_uri, values_of(found.data.tags))


def _served_path(address: str) -> str | None:
    """Return the path of an artifact if the tracking server proxies it, otherwise None."""
    place = urlsplit(address)
    return place.path.strip("/") if place.scheme == "mlflow-artifacts" and not place.netloc else None


def _require_served(address: str) -> str:
    if (path := _served_path(address)) is None:
        raise TrackingError("MLflow's server does not hand out artifacts itself")
    return path


def _artifact(path: str) -> str:
    return f"mlflow-artifacts/artifacts/{quote(path)}"


def _batches(entries: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Split entries into batches within MLflow's limits.

    >>> [len(batch["params"]) for batch in _batches({"params": [{}] * 250})]
    [100, 100, 50]
    """
    for number in range(max(-(-len(values) // _MOST[kind]) for kind, values in entries.items())):
        pieces = {
            kind: values[number * _MOST[kind] : (number + 1) * _MOST[kind]]
            for kind, values in entries.items()
        }
        yield {kind: piece for kind, piece in pieces.items() if piece}


def _shown(key: str, value: str) -> str:
    """Return the value of a tag without values of Secrets; tags that programs read stay as they are."""
    return value if key.startswith(OURS) else masked(value)


def _now() -> int:
    return int(time.time() * 1000)


def _log_text_by_mlflow(uri: str, run: Run, name: str, text: str) -> None:
    """Log with MLflow's own client, which supports every artifact store, if the server proxies none."""
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds of import, for such servers only

    try:
        MlflowClient(uri).log_text(run.run_id, text, name)
    except Exception as error:  # each store's library has its own errors
        raise TrackingError(f"{name} could not be stored ({one_line(error)}).") from error
