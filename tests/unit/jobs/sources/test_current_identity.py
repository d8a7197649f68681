"""A retraining that was refused is tried again once the identity of the current data is another one."""

from pathlib import Path

import pytest

from selfheal_jobs.sources.current_identity import identity_of_current
from selfheal_jobs.sources.opening import locate
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.request import RunRequest
from support.builders.run_requests import run_request

WINDOW = {"timestampColumn": "time", "lookbackSeconds": 3600}


@pytest.fixture
def request_(tmp_path: Path) -> RunRequest:
    """Return the request of a monitor whose current data is a folder of one file."""
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "a.csv").write_text("x,label\n1,0\n")
    (tmp_path / "labels.csv").write_text("id,label\n1,0\n")
    return run_request(reference="/data/reference.csv", current=tmp_path / "current")


def with_dataset(request: RunRequest, **dataset: object) -> RunRequest:
    """Return the request with these fields of spec.dataset."""
    document = request.to_wire()
    document["spec"]["dataset"] |= dataset
    return RunRequest.from_wire(document)


def test_the_same_files_have_the_same_identity_in_a_check_and_in_a_retraining(request_: RunRequest) -> None:
    """Whether or not they were located before, and whatever the slot."""
    located = locate(Place.of_current(request_.spec))
    later = run_request(
        reference="/data/reference.csv",
        current=request_.spec.dataset.current.uri,
        slot="2026-11-23T07:00:00Z",
    )

    assert identity_of_current(request_) is not None
    assert (
        identity_of_current(request_) == identity_of_current(request_, located) == identity_of_current(later)
    )


@pytest.mark.parametrize("change", ["grows", "arrives"])
def test_other_files_have_another_identity(request_: RunRequest, tmp_path: Path, change: str) -> None:
    """A file that grows, or one more."""
    before = identity_of_current(request_)

    if change == "grows":
        (tmp_path / "current" / "a.csv").write_text("x,label\n1,0\n2,1\n")
    else:
        (tmp_path / "current" / "b.csv").write_text("x,label\n1,0\n")

    assert identity_of_current(request_) != before


def test_labels_that_arrive_are_something_new(request_: RunRequest, tmp_path: Path) -> None:
    """They make rows that a retraining can learn from."""
    labelled = with_dataset(request_, labels={"uri": str(tmp_path / "labels.csv"), "joinColumn": "id"})
    before = identity_of_current(labelled)

    (tmp_path / "labels.csv").write_text("id,label\n1,0\n2,1\n")

    assert before is not None
    assert identity_of_current(labelled) not in {before, identity_of_current(request_)}


def test_what_is_not_there_has_no_identity(request_: RunRequest, tmp_path: Path) -> None:
    """Neither the data itself nor its labels; opening them says what is wrong."""
    assert identity_of_current(run_request(current=tmp_path / "nothing.csv")) is None
    labelled = with_dataset(request_, labels={"uri": str(tmp_path / "none.csv"), "joinColumn": "id"})
    assert identity_of_current(labelled) is None


def test_in_a_window_each_slot_may_have_new_rows(request_: RunRequest) -> None:
    """A row that lies in the future of one slot is in the window of another, without any file changing."""
    windowed = with_dataset(request_, window=WINDOW)
    later = windowed.replaced(slot=windowed.slot.replace(hour=7))

    assert identity_of_current(windowed) == identity_of_current(windowed)
    assert identity_of_current(windowed) != identity_of_current(later)
