import json
from datetime import UTC, datetime

import pytest

from chaos.record import read_record, record_of
from selfheal_operator.api.reasons import Purpose
from support.builders.objects import NOON, UID, monitor_body

MONITOR = monitor_body(kind="ModelMonitor")


def job_body(version: int = 2000, **fields):
    """Return a Job as the API server shows it."""
    return {
        "kind": "Job",
        "metadata": {
            "namespace": "team-a",
            "name": "churn-check-1",
            "uid": "job-1",
            "resourceVersion": str(version),
            "creationTimestamp": "2026-11-23T12:00:01Z",
            "labels": {"selfheal.dev/purpose": "Check"},
            "annotations": {"selfheal.dev/slot": "2026-11-23T12:00:00Z"},
            "ownerReferences": [{"uid": UID, "name": "churn", "controller": True}],
        },
    } | fields


def event(verb: str, resource: str, answer, code: int = 201, **fields):
    """Return an event of the audit log."""
    return {
        "kind": "Event",
        "verb": verb,
        "objectRef": {"resource": resource},
        "responseStatus": {"code": code},
        "responseObject": answer,
        "stageTimestamp": "2026-11-23T12:30:00.250000Z",
    } | fields


@pytest.fixture
def recorded(tmp_path):
    """Return what is read of an audit log with these lines, and of these sightings."""

    def record(*lines, sightings=()):
        texts = [line if isinstance(line, str) else json.dumps(line, separators=(",", ":")) for line in lines]
        (tmp_path / "audit.log").write_text("".join(text + "\n" for text in texts))
        (tmp_path / "sightings.jsonl").write_text("".join(json.dumps(body) + "\n" for body in sightings))
        return read_record(tmp_path / "audit.log", tmp_path / "sightings.jsonl")

    return record


def test_a_job_is_read_as_it_was_created(recorded):
    """With its slot, its owner, and the line over which it was asked for."""
    record = recorded(
        event("create", "modelmonitors", MONITOR),
        event("create", "jobs", job_body(), userAgent="operator-b"),
    )

    (job,) = record.monitors[UID].jobs
    assert (job.name, job.purpose, job.slot, job.version, job.by) == (
        "churn-check-1",
        Purpose.CHECK,
        NOON,
        2000,
        "operator-b",
    )


def test_a_request_that_was_refused_created_nothing(recorded):
    """The name was taken."""
    record = recorded(
        event("create", "modelmonitors", MONITOR), event("create", "jobs", {"kind": "Status"}, code=409)
    )

    assert record.monitors[UID].jobs == []


def test_a_job_is_finished_from_the_revision_that_first_says_so(recorded):
    """Whatever order the log has: a status may be logged before the create that it follows."""
    ended = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    record = recorded(
        event("create", "modelmonitors", MONITOR),
        event("update", "jobs", job_body(2002, **ended)),
        event("update", "jobs", job_body(2005, **ended)),
        event("create", "jobs", job_body(2000)),
    )

    (job,) = record.monitors[UID].jobs
    assert (job.version, job.finished_version) == (2000, 2002)


@pytest.mark.parametrize("rest", ["", "\n"])
def test_a_line_that_a_kill_has_cut_hides_no_other(recorded, rest):
    """The API server that is started again goes on in the middle of the line."""
    cut = json.dumps(event("create", "jobs", job_body()))[:100]
    whole = json.dumps(event("create", "modelmonitors", MONITOR), separators=(",", ":"))

    assert UID in recorded(cut + rest + whole).monitors


def test_what_the_log_did_not_get_is_taken_from_what_was_seen(recorded):
    """A create may have been committed by an API server that was killed before it could log it."""
    record = recorded(event("create", "modelmonitors", MONITOR), sightings=[job_body(2003), MONITOR])

    assert [job.uid for job in record.monitors[UID].jobs] == ["job-1"]


def test_a_job_without_an_owner_that_was_ever_seen_is_kept_apart():
    """It is nobody's, and the audit says so."""
    record = record_of([job_body()])

    assert [job.name for job in record.ownerless] == ["churn-check-1"]


@pytest.mark.parametrize("answer", [{"kind": "Status", "details": {"uid": UID}}, MONITOR])
def test_a_deletion_is_known_by_its_uid(recorded, answer):
    """The API server answers with a Status, or with the object if somebody had a finalizer on it."""
    record = recorded(
        event("create", "modelmonitors", MONITOR), event("delete", "modelmonitors", answer, code=200)
    )

    assert record.monitors[UID].deleted == datetime(2026, 11, 23, 12, 30, 0, 250000, UTC)


def test_versions_are_in_the_order_of_their_revisions_each_once(recorded):
    """The one over a line is known to be its operator's; a sighting of it later says nothing new."""
    later = json.loads(json.dumps(MONITOR))
    later["metadata"]["resourceVersion"] = "1001"
    record = recorded(
        event("patch", "modelmonitors", later, userAgent="operator-a", code=200),
        event("create", "modelmonitors", MONITOR),
        sightings=[later],
    )

    versions = record.monitors[UID].versions
    assert [(version.version, version.by) for version in versions] == [(1000, ""), (1001, "operator-a")]
