"""The API server here is a small HTTP server that answers as it is told: each race is one script of answers.

What the real one does with a report is tested in tests/integration.
"""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from selfheal_jobs.delivery.cluster_access import Access
from selfheal_jobs.delivery.status_patch import (
    ApiServer,
    Delivery,
    StandardOutput,
    amendment,
    document_to_apply,
    open_report_sink,
)
from selfheal_jobs.errors import UndeliveredError
from selfheal_jobs.redaction import masked
from selfheal_jobs.transport.retry_policy import DeadlinePolicy
from selfheal_operator.api.reasons import CheckResult, RetrainResult, Task
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import MonitorRef
from selfheal_operator.api.v1alpha1.status import LastCheck, LastRetraining, ModelVersion

SLOT = "2026-11-23T06:00:00Z"
LATER = "2026-11-23T07:00:00Z"
MONITOR = MonitorRef(namespace="team-a", name="churn", uid="uid-1", generation=3)
HASTY = DeadlinePolicy(total_seconds=1.5, forbidden_seconds=0.3, longest_pause_seconds=0.05)


def check_report(**more: Any) -> Any:
    """Return a report of a check."""
    return CheckReport(
        last_check=LastCheck(
            scheduled_time=datetime.fromisoformat(SLOT),
            job_name="churn-check-1",
            result=CheckResult.DRIFT,
            reason="ThresholdExceeded",
            message="m",
            observed_generation=3,
        ),
        **more,
    )


def retrain_report(**more: Any) -> Any:
    """Return a report of a retraining."""
    return RetrainReport(
        last_retraining=LastRetraining(
            scheduled_time=datetime.fromisoformat(SLOT),
            job_name="churn-retrain-1",
            result=RetrainResult.NOT_IMPROVED,
            reason="NoImprovement",
            message="m",
            observed_generation=3,
        ),
        **more,
    )


def monitor(uid: str = "uid-1", **status: Any) -> Any:
    """Return the monitor as the API server shows it."""
    metadata = {"name": "churn", "namespace": "team-a", "uid": uid, "resourceVersion": "7"}
    return {"metadata": metadata, "status": status}


class Script:
    """Answers of an API server: to reads, and to writes one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.seen = monitor()
        self.reads = [200]
        self.writes = [200]
        self.requests: list[dict[str, Any]] = []
        self.connections: set[Any] = set()
        self.closing = False
        self.sink: ApiServer
        self.message: Path

    @property
    def written(self) -> Any:
        """Return the documents that were sent, and how."""
        return [each for each in self.requests if each["method"] == "PATCH"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A script that may be changed before the test acts; `script.sink` leads to its server."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(script.reads, {})

        def do_PATCH(self) -> None:
            length = int(self.headers["Content-Length"])
            self.answer(script.writes, json.loads(self.rfile.read(length)))

        def answer(self, statuses: Any, document: Any) -> None:
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            script.connections.add(self.client_address)
            script.requests.append(
                {
                    "method": self.command,
                    "path": self.path,
                    "type": self.headers["Content-Type"],
                    "document": document,
                    "status": status,
                }
            )
            seen = script.seen
            if isinstance(document, dict):  # an apply, not a JSON patch
                seen = seen | {"status": seen["status"] | document.get("status", {})}
            body = json.dumps(seen if status == 200 else {"message": "because"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            # Without a word of it in the headers: the client finds out when it calls again.
            self.close_connection = self.close_connection or script.closing

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    serving.start()
    monkeypatch.setenv("TERMINATION_MESSAGE_PATH", str(tmp_path / "message"))
    script.sink = ApiServer(Access(f"http://127.0.0.1:{server.server_port}", None), MONITOR, HASTY)
    script.message = tmp_path / "message"
    yield script
    server.shutdown()
    server.server_close()


def test_a_report_is_applied_to_the_status_by_its_own_field_manager(script: Script) -> None:
    """Server-side apply: the operator's fields are not touched, and its conflicts are ours to win."""
    assert script.sink.deliver(check_report()) is Delivery.STORED

    (written,) = script.written
    assert written["type"] == "application/apply-patch+yaml"
    assert written["path"].split("?")[0].endswith("/namespaces/team-a/modelmonitors/churn/status")
    assert "fieldManager=selfheal-check" in written["path"]
    assert "force=true" in written["path"]


def test_what_is_sent_is_bound_to_the_monitor_that_was_read() -> None:
    """Another monitor of that name, or a write in between, makes the API server refuse."""
    metadata = document_to_apply(monitor(), check_report())["metadata"]

    assert metadata == {"name": "churn", "namespace": "team-a", "uid": "uid-1", "resourceVersion": "7"}


def test_the_verdict_and_its_evidence_take_three_calls_on_one_connection(script: Script) -> None:
    """The answer to the first write is what the second one goes by."""
    script.sink.deliver(check_report())

    assert script.sink.deliver(check_report()) is Delivery.STORED

    assert [each["method"] for each in script.requests] == ["GET", "PATCH", "PATCH"]
    assert len(script.connections) == 1


def test_the_second_write_tests_whose_verdict_is_there(script: Script) -> None:
    """The monitor, the slot and the Job; not the resourceVersion, for the operator has written meanwhile."""
    script.sink.deliver(check_report())
    script.sink.deliver(check_report())

    first, second = script.written
    assert first["document"]["metadata"]["resourceVersion"] == "7"
    assert second["type"] == "application/json-patch+json"
    assert second["document"] == [
        {"op": "test", "path": "/metadata/uid", "value": "uid-1"},
        {"op": "test", "path": "/status/lastCheck/scheduledTime", "value": SLOT},
        {"op": "test", "path": "/status/lastCheck/jobName", "value": "churn-check-1"},
        {"op": "replace", "path": "/status/lastCheck", "value": check_report().to_wire()["lastCheck"]},
    ]


@pytest.mark.parametrize("status", [404, 409, 422])
@pytest.mark.parametrize(
    ("seen", "delivery"),
    [
        (monitor(lastCheck={"scheduledTime": LATER}), Delivery.SUPERSEDED),
        (monitor(uid="uid-2"), Delivery.UNWANTED),
    ],
)
def test_a_second_write_that_is_refused_looks_again(
    script: Script, status: int, seen: Any, delivery: Delivery
) -> None:
    """A newer slot has reported, or the monitor is another one: neither is an error of ours."""
    script.sink.deliver(check_report())
    script.writes, script.seen = [status], seen

    assert script.sink.deliver(check_report()) is delivery
    assert [each["method"] for each in script.requests] == ["GET", "PATCH", "PATCH", "GET"]


def test_a_second_write_that_fails_is_tried_again_as_the_first_one(script: Script) -> None:
    """From the read on: who knows what was written in between."""
    script.sink.deliver(check_report())
    script.writes = [503, 200]

    assert script.sink.deliver(check_report()) is Delivery.STORED
    assert [each["method"] for each in script.requests] == ["GET", "PATCH", "PATCH", "GET", "PATCH"]


def test_a_report_of_another_slot_is_decided_by_a_new_look(script: Script) -> None:
    """What an earlier write answered tells nothing of another slot's rivals."""
    script.sink.deliver(check_report())
    script.sink.deliver(retrain_report())

    assert [each["method"] for each in script.requests] == ["GET", "PATCH"] * 2


def test_a_connection_that_the_server_closed_is_opened_again(script: Script) -> None:
    """A server keeps an idle connection for seconds only, and Evidently's report may take longer."""
    script.closing = True
    script.sink.deliver(check_report())
    script.sink.deliver(check_report())

    assert len(script.requests) == len(script.connections) == 3


def test_a_task_inferred_before_is_sent_again() -> None:
    """A check that ended before it could tell the task would take it out of the status."""
    sent = document_to_apply(monitor(task="Regression", missedChecks=3), check_report())["status"]

    assert sent["task"] == "Regression"
    assert "missedChecks" not in sent


def test_a_task_of_the_report_comes_before_the_stored_one() -> None:
    """The newest inference counts."""
    report = check_report(task="Classification")

    assert document_to_apply(monitor(task="Regression"), report)["status"]["task"] == "Classification"


def test_the_champion_survives_a_retraining_that_registers_nothing() -> None:
    """Apply replaces all that its manager owned: a model that is not sent again is gone."""
    model = {"name": "churn", "version": "7", "runID": "r", "registeredTime": SLOT}

    assert document_to_apply(monitor(model=model), retrain_report())["status"]["model"] == model


MODEL = {"name": "churn", "version": "7", "registeredTime": SLOT}
NEWER = ModelVersion(name="churn", version="8", registered_time=datetime.fromisoformat(LATER))


@pytest.mark.parametrize(
    ("case", "stored", "found", "forgets", "operations"),
    [
        ("the first that is found", None, NEWER, False, ["test", "add"]),
        ("another one", MODEL, NEWER, False, ["test", "add"]),
        ("the same, of which the status may know more", MODEL, NEWER.replaced(version="7"), False, []),
        ("of another registered model", MODEL | {"name": "x", "version": "8"}, NEWER, False, ["test", "add"]),
        ("MLflow does not tell", MODEL, None, False, []),
        ("MLflow has none", MODEL, None, True, ["test", "remove"]),
        ("there never was one", None, None, True, []),
    ],
)
def test_a_check_shows_the_champion_that_it_finds(
    case: str,
    stored: dict[str, Any] | None,
    found: ModelVersion | None,
    forgets: bool,  # noqa: FBT001
    operations: list[str],
) -> None:
    """Only if the status still shows what the check saw: a retraining may have registered one meanwhile."""
    applied = monitor(lastCheck=check_report().last_check.to_wire(), model=stored)
    written = amendment(applied, check_report(model=found), forgets_model=forgets)[4:]

    assert [each["op"] for each in written] == operations, case
    if operations:
        assert written[0] == {"op": "test", "path": "/status/model", "value": stored}


def test_a_check_that_applies_again_keeps_a_version_that_was_registered_meanwhile() -> None:
    """What it has found may be older than what it reads; the next check finds what is true."""
    applied = document_to_apply(monitor(model=MODEL), check_report(model=NEWER))["status"]

    assert applied["model"] == MODEL
    assert document_to_apply(monitor(), check_report(model=NEWER))["status"]["model"]["version"] == "8"


def test_a_check_that_cannot_tell_the_task_keeps_it_with_its_target() -> None:
    """A task of the old target must not become one of the new target."""
    seen = monitor(task="Regression", target="revenue")
    told = check_report(task=Task.CLASSIFICATION, target="churned")

    unknown = document_to_apply(seen, check_report())["status"]
    assert (unknown["task"], unknown["target"]) == ("Regression", "revenue")
    known = document_to_apply(seen, told)["status"]
    assert (known["task"], known["target"]) == ("Classification", "churned")


@pytest.mark.parametrize(
    ("case", "seen", "delivery"),
    [
        ("a newer slot has reported", monitor(lastCheck={"scheduledTime": LATER}), Delivery.SUPERSEDED),
        ("our own slot has reported", monitor(lastCheck={"scheduledTime": SLOT}), Delivery.STORED),
        (
            "an older slot has reported",
            monitor(lastCheck={"scheduledTime": "2026-11-23T05:59:59Z"}),
            Delivery.STORED,
        ),
        ("a newer retraining", monitor(lastRetraining={"scheduledTime": LATER}), Delivery.STORED),
        ("the monitor was made anew", monitor(uid="uid-2"), Delivery.UNWANTED),
    ],
)
def test_a_late_report_never_overwrites_a_newer_one(
    script: Script, case: str, seen: dict[str, Any], delivery: Delivery
) -> None:
    """Nor the status of another monitor; both are a success for the container."""
    script.seen = seen

    assert script.sink.deliver(check_report()) is delivery, case
    assert len(script.written) == (delivery is Delivery.STORED), case


def test_a_monitor_that_is_gone_wants_no_report(script: Script) -> None:
    """Nobody is left to read it."""
    script.reads = [404]

    assert script.sink.deliver(check_report()) is Delivery.UNWANTED


@pytest.mark.parametrize("status", [404, 409])
def test_a_monitor_deleted_between_read_and_write_wants_no_report(script: Script, status: int) -> None:
    """The write says 404 or a conflict; the read that follows says 404."""
    script.reads = [200, 404]
    script.writes = [status]

    assert script.sink.deliver(check_report()) is Delivery.UNWANTED


@pytest.mark.parametrize("status", [409, 429, 500, 503, 403])
def test_a_failed_write_is_tried_again_from_the_read_on(script: Script, status: int) -> None:
    """Somebody wrote meanwhile, the server is busy or restarts, or the RoleBinding is new."""
    script.writes = [status, status, 200]

    assert script.sink.deliver(check_report()) is Delivery.STORED
    assert [each["method"] for each in script.requests] == ["GET", "PATCH"] * 3


def test_a_slot_that_reports_while_we_retry_is_not_overwritten(script: Script) -> None:
    """The status is read again before each attempt."""
    script.writes = [409]
    script.seen = monitor()
    timer = threading.Timer(0.2, lambda: setattr(script, "seen", monitor(lastCheck={"scheduledTime": LATER})))
    timer.start()

    assert script.sink.deliver(check_report()) is Delivery.SUPERSEDED
    timer.join()


def test_the_report_is_in_the_termination_message_before_the_api_server_is_asked(script: Script) -> None:
    """If it never takes the report, the operator recovers it from there."""
    script.reads = [503]

    with pytest.raises(UndeliveredError, match=r"modelmonitor team-a/churn \(503"):
        script.sink.deliver(check_report())

    assert CheckReport.from_termination_message(script.message.read_text()) == check_report()


def test_forbidden_says_which_right_is_missing(script: Script) -> None:
    """A person can act on it; it is not waited for as long as a server that is down."""
    script.writes = [403]

    with pytest.raises(UndeliveredError, match="ClusterRole selfheal-runner bound in the namespace"):
        script.sink.deliver(check_report())


def test_a_report_that_the_schema_refuses_is_not_tried_again(script: Script) -> None:
    """It would be refused for ever."""
    script.writes = [422]

    with pytest.raises(UndeliveredError, match="422"):
        script.sink.deliver(check_report())
    assert len(script.written) == 1


def test_a_server_that_is_not_there_is_given_up_after_a_while() -> None:
    """Longer than a restart takes, shorter than for ever."""
    sink = ApiServer(Access("http://127.0.0.1:9", None), MONITOR, HASTY)

    with pytest.raises(UndeliveredError, match="could not be written"):
        sink.deliver(check_report())


def test_without_an_api_server_the_report_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check can be repeated by hand from its Job's manifest."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "TERMINATION_MESSAGE_PATH"):
        monkeypatch.delenv(name, raising=False)

    sink = open_report_sink(MONITOR)

    assert isinstance(sink, StandardOutput)
    assert sink.deliver(check_report()) is Delivery.PRINTED
    assert json.loads(capsys.readouterr().out)["lastCheck"]["result"] == "Drift"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KUBECONFIG", "/nowhere/config", r"KUBECONFIG \(/nowhere/config\) does not lead"),
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1", "the pod's ServiceAccount token does not lead"),
    ],
)
def test_an_api_server_that_is_named_but_closed_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """A Job that only printed its report would look as if it had succeeded."""
    for other in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)

    with pytest.raises(UndeliveredError, match=said):
        open_report_sink(MONITOR)


def test_the_token_of_a_kubeconfig_is_a_secret_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod's token is known anyway; a run by hand has another one."""
    (tmp_path / "token").write_text("token-in-a-file\n")
    user = {"name": "u", "user": {"tokenFile": "token"}}
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [user],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    open_report_sink(MONITOR)

    assert masked("a column called token-in-a-file") == "a column called ***"


def test_a_termination_message_that_cannot_be_written_stops_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status is the first way; this is the second."""
    monkeypatch.setenv("TERMINATION_MESSAGE_PATH", "/nowhere/message")

    assert script.sink.deliver(check_report()) is Delivery.STORED
