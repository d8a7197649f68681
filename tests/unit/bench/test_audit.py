import json
from datetime import UTC, datetime
from pathlib import Path

from selfheal_bench.audit import AuditLog, Call

EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "stage": "ResponseComplete",
    "requestURI": "/apis/selfheal.dev/v1alpha1/namespaces/a/modelmonitors/churn/status?force=true",
    "verb": "patch",
    "user": {"username": "system:serviceaccount:selfheal-system:selfheal-operator"},
    "objectRef": {
        "resource": "modelmonitors",
        "namespace": "a",
        "name": "churn",
        "apiGroup": "selfheal.dev",
        "apiVersion": "v1alpha1",
        "subresource": "status",
    },
    "responseStatus": {"metadata": {}, "code": 200},
    "requestReceivedTimestamp": "2026-11-24T23:00:00.123456Z",
    "stageTimestamp": "2026-11-24T23:00:00.234567Z",
}


def test_an_event_is_read_with_its_microseconds():
    """The lag is counted from the answer's timestamp, and the subresource is part of what was asked for."""
    assert Call.from_event(EVENT) == Call(
        user="system:serviceaccount:selfheal-system:selfheal-operator",
        verb="patch",
        resource="modelmonitors/status",
        namespace="a",
        name="churn",
        code=200,
        ended=datetime(2026, 11, 24, 23, 0, 0, 234567, UTC),
    )


def test_a_request_for_no_object_is_read_too():
    """Requests such as the one for the list of APIs name no object."""
    event = {name: value for name, value in EVENT.items() if name not in {"objectRef", "responseStatus"}}

    call = Call.from_event(event)

    assert (call.resource, call.name, call.code) == ("", "", 0)


def test_a_half_written_line_waits_for_its_end(tmp_path: Path):
    """The API server may be writing while the log is read: nothing is lost, and nothing is read twice."""
    path, line = tmp_path / "audit.log", json.dumps(EVENT)
    log = AuditLog(path)

    path.write_text(f"{line}\n{line[:100]}")
    assert len(list(log.new_calls())) == 1
    with path.open("a") as file:
        file.write(f"{line[100:]}\n")
    assert len(list(log.new_calls())) == 1
    assert not list(log.new_calls())
