"""Whoever does not know the UID of the Job can neither make a proof nor move one."""

import pytest

from selfheal_jobs.tracking.job_proof import is_proven, proof_tags

UID = "3f1c5a52-7a3e-4b0e-9a53-51d6a2a4f0c9"


@pytest.fixture(autouse=True)
def _job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFHEAL_JOB_UID", UID)


def test_a_proof_holds_for_the_same_arguments() -> None:
    """In another process of the Job, too: it depends on the UID alone."""
    tags = proof_tags("decision", "run-1", "{}")

    assert tags.keys() == {"selfheal.proof"}
    assert is_proven(tags, "decision", "run-1", "{}")


@pytest.mark.parametrize(
    "others",
    [
        ("decision", "run-2", "{}"),
        ("decision", "run-1", "{ }"),
        ("check", "run-1", "{}"),
        ("decision", "run-1{}"),
        ("decision", "run-1", "{}", ""),
        ("decision", "run", "-1{}"),
    ],
)
def test_a_proof_holds_for_no_other_arguments(others: tuple[str, ...]) -> None:
    """Nor for the same characters, divided otherwise."""
    assert not is_proven(proof_tags("decision", "run-1", "{}"), *others)


def test_a_proof_holds_for_no_other_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Job has its own UID, also if it has the name of one that was deleted."""
    tags = proof_tags("decision", "run-1")
    monkeypatch.setenv("SELFHEAL_JOB_UID", UID.replace("3f", "3e"))

    assert not is_proven(tags, "decision", "run-1")


@pytest.mark.parametrize("tags", [{}, {"selfheal.proof": ""}, {"selfheal.proof": "\u00e4\ud800"}])
def test_what_is_no_proof_proves_nothing(tags: dict[str, str]) -> None:
    """MLflow may answer any text."""
    assert not is_proven(tags, "decision", "run-1")


@pytest.mark.parametrize("uid", [None, ""])
def test_without_a_uid_nothing_is_proven(monkeypatch: pytest.MonkeyPatch, uid: str | None) -> None:
    """An empty key would be everybody's."""
    tags = proof_tags("decision", "run-1")
    monkeypatch.delenv("SELFHEAL_JOB_UID")
    if uid is not None:
        monkeypatch.setenv("SELFHEAL_JOB_UID", uid)

    assert proof_tags("decision", "run-1") == {}
    assert not is_proven(tags, "decision", "run-1")
