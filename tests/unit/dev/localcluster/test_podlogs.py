"""Logs are found by the name of a Job or pod."""

import json
from pathlib import Path

import pytest

from localcluster.podlogs import newest_log


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    """The folders of four pods: two of one Job, one of its namesake elsewhere, one without a Job."""
    note(tmp_path, "ns", "check-a", "2026-01-01T12:00:00Z", job="check")
    note(tmp_path, "ns", "check-b", "2026-01-01T12:00:01Z", job="check")
    note(tmp_path, "other", "check-c", "2026-01-01T11:00:00Z", job="check")
    note(tmp_path, "ns", "alone", "2026-01-01T10:00:00Z", job=None)
    return tmp_path


def note(pods: Path, namespace: str, name: str, created: str, *, job: str | None) -> None:
    """Write what the process node notes of a pod."""
    folder = pods / f"{namespace}_{name}_uid"
    folder.mkdir()
    owners = [{"kind": "Job", "name": job}] if job else None
    noted = {"namespace": namespace, "name": name, "creationTimestamp": created, "ownerReferences": owners}
    (folder / "pod.json").write_text(json.dumps({**noted, "container": "main"}))


@pytest.mark.parametrize(
    ("name", "namespace", "pod"),
    [
        ("check", "ns", "check-b"),  # the newest
        ("check", "other", "check-c"),
        ("check", None, "check-b"),
        ("alone", None, "alone"),  # by the pod's own name
    ],
)
def test_newest_log(pods: Path, name: str, namespace: str | None, pod: str) -> None:
    """The newest pod of the Job is found, in the namespace if one is given."""
    found = newest_log(pods, name, namespace)

    assert found
    assert (found.pod, found.path.name) == (pod, "main.log")


def test_unknown_job_has_no_log(pods: Path) -> None:
    """A Job that never ran has no log."""
    assert newest_log(pods, "nothing") is None
