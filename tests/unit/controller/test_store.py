from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.model import format_time
from selfheal_operator.api.reasons import Purpose, Reason
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.controller import store as module
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import PodTrouble, Rejection
from selfheal_operator.core.validation import LARGEST_SPEC_BYTES
from support.builders.objects import (
    DEFAULTS,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    UID,
    finished_job,
    job,
    monitor_body,
)
from support.builders.steps import status_written

CHURN = Key("team-a", "churn")
RETRAIN = Purpose.RETRAIN


def version(number: int, **metadata):
    """Return the monitor at a resourceVersion."""
    body = monitor_body()
    return body | {"metadata": body["metadata"] | {"resourceVersion": str(number)} | metadata}


def reborn(number: int, **metadata):
    """Return a later monitor of the same name."""
    return version(number, uid="another-uid", **{"creationTimestamp": format_time(NOON)} | metadata)


def refusal(generation: int = 1) -> Rejection:
    """Return a refusal of a Job."""
    return Rejection(
        job_name="churn-check-1",
        generation=generation,
        reason=Reason.JOB_REJECTED,
        message="exceeded quota",
        time=NOON,
    )


def known(store: Store):
    """Return what is known of the monitor."""
    seen = store.observe(CHURN, DEFAULTS)
    assert seen is not None
    return seen


@pytest.mark.parametrize(("first", "second"), [(9, 10), (10, 9), (10, 10)])
def test_the_newest_of_a_monitor_is_kept_whichever_way_it_came(first, second):
    """The watch may be behind what a write of our own has returned; versions are numbers, not texts."""
    store = Store()
    store.put_monitor(version(first))
    store.put_monitor(version(second))

    assert known(store).monitor.resource_version == "10"


@pytest.mark.parametrize(("first", "second"), [(9, 10), (10, 9)])
def test_the_newest_of_a_job_is_kept_whichever_way_it_came(first, second):
    """An event that says a Job runs must not bring back one that has ended."""
    store = Store()
    store.put_monitor(version(1))
    for number in (first, second):
        store.put_job(finished_job() if number == 10 else job(), str(number))

    assert known(store).jobs == (finished_job(),)


def test_a_monitor_that_was_made_anew_is_another():
    """Neither the Jobs nor the troubles of the one before are its own."""
    store = Store()
    store.put_monitor(version(10))
    store.put_job(job(), "11")
    store.reject(CHURN, refusal())
    store.note_pod_trouble(CHURN, PodTrouble(job_uid="uid", message="Unschedulable", time=NOON))

    store.put_monitor(reborn(20))

    seen = known(store)
    assert (seen.monitor.uid, seen.jobs, seen.rejection, seen.pod_trouble) == ("another-uid", (), None, None)


@pytest.mark.parametrize("created", [NOON, NOON - 30 * 60 * SECOND])
def test_an_old_answer_does_not_bring_back_a_monitor_that_was_made_anew(created):
    """Nor within the same second, which is as exact as creationTimestamp is: the versions tell."""
    store = Store()
    store.put_monitor(reborn(20))

    store.put_monitor(version(15, creationTimestamp=format_time(created)))

    assert known(store).monitor.uid == "another-uid"


def test_an_old_answer_does_not_bring_back_a_job_that_was_made_anew():
    """A Job deleted by hand and made again has another UID, and a later version."""
    store = Store()
    store.put_monitor(version(1))
    store.put_job(job(uid="second"), "20")

    store.put_job(job(uid="first"), "15")

    assert [job.uid for job in known(store).jobs] == ["second"]


def test_a_deleted_monitor_is_forgotten():
    """There is nothing to look at."""
    store = Store()
    store.put_monitor(version(10))

    store.drop_monitor(CHURN, UID)

    assert store.observe(CHURN, DEFAULTS) is None
    assert store.known_keys() == []


def test_the_end_of_the_one_before_does_not_end_the_one_after():
    """The watch of an earlier connection may tell of it late."""
    store = Store()
    store.put_monitor(reborn(20))
    store.put_monitor(version(1, name="fraud"))

    store.drop_monitor(CHURN, UID)
    store.drop_monitor(Key("team-b", "churn"), "another-uid")

    assert store.known_keys() == [CHURN, Key("team-a", "fraud")]


def test_a_deleted_job_is_forgotten_by_its_uid():
    """A later Job of the same name stays."""
    store = Store()
    store.put_monitor(version(1))
    store.put_job(job(uid="second"), "20")

    store.drop_job(job(uid="first"))
    assert len(known(store).jobs) == 1
    store.drop_job(job(uid="second"))
    assert known(store).jobs == ()
    store.drop_job(job(uid="second"))


def test_a_job_may_be_known_before_its_monitor():
    """Two watches, two speeds."""
    store = Store()
    store.put_job(job(), "11")
    store.put_monitor(version(10))

    assert known(store).jobs == (job(),)


def test_nothing_is_kept_of_monitors_and_jobs_that_are_gone():
    """Years of monitors come and go in one process."""
    store = Store()
    for number in range(1, 100):
        owner = f"uid-{number}"
        store.put_monitor(version(number, uid=owner))
        store.put_job(job(owner_uid=owner), str(number))
        store.drop_job(job(owner_uid=owner))
        store.drop_monitor(CHURN, owner)

    assert (store._entries, store._jobs, store._owners) == ({}, {}, {})


def test_refusals_of_one_spec_are_counted():
    """The pause grows with their number, and an edited spec begins anew."""
    store = Store()
    store.put_monitor(version(1))
    attempts = []
    for rejection in (refusal(1), refusal(1), refusal(2), None, refusal(2)):
        store.reject(CHURN, rejection)
        now = known(store).rejection
        attempts.append(now.attempts if now else None)

    assert attempts == [1, 2, 1, None, 1]


def test_what_is_said_of_a_monitor_that_is_gone_is_dropped():
    """It was deleted while its Job was being created."""
    store = Store()
    store.reject(CHURN, refusal())
    store.note_pod_trouble(CHURN, PodTrouble(job_uid="uid", message="", time=NOON))

    assert store.observe(CHURN, DEFAULTS) is None


def test_everything_known_can_be_listed():
    """For the comparison with what the API server lists."""
    store = Store()
    store.put_monitor(version(1))
    store.put_job(job(), "2")
    store.put_job(job(Purpose.RETRAIN), "3")

    assert store.known_keys() == [Key("team-a", "churn")]
    assert {job.name for job in store.jobs()} == {job().name, "churn-retrain-1"}
    assert replace(known(store), jobs=()).defaults == DEFAULTS


def test_only_what_is_new_is_news():
    """What a write of our own has returned comes once more by the watch, and wakes nobody."""
    store = Store()

    assert [store.put_monitor(version(number)) for number in (1, 1, 2, 1)] == [True, False, True, False]
    assert [store.put_job(job(), number) for number in ("3", "3", "4")] == [True, False, False]
    assert store.put_job(finished_job(), "5")
    assert not store.put_job(job(), "4")


def test_a_monitor_is_kept_as_far_as_it_is_read():
    """Managed fields and foreign annotations alone are longer than all else; the requests are among these."""
    asked = {"selfheal.dev/check-requested-at": "now", "example.com/other": "x" * 10_000}
    store = Store()
    store.put_monitor(version(1, annotations=asked, managedFields=[{"manager": "x" * 10_000}]))

    assert known(store).monitor.check_request == "now"
    assert len(store._entries[CHURN].content.document) < 1_000


def test_active_jobs_are_counted_by_namespace():
    """Each once, however often it is told of, until it has ended or is gone."""
    store = Store()
    store.put_monitor(monitor_body())
    store.put_monitor(version(1, namespace="team-b", uid="another-uid"))
    other = job(namespace="team-b", owner_uid="another-uid")
    for number, each in enumerate((job(), job(), other, job(Purpose.RETRAIN))):
        store.put_job(each, str(number))
    assert store.active(Purpose.CHECK).by_namespace == {"team-a": 1, "team-b": 1}

    store.put_job(finished_job(), "10")
    store.drop_job(other)
    store.drop_job(finished_job())

    assert store.active(Purpose.CHECK).by_namespace == {}
    assert store.active(Purpose.RETRAIN).by_namespace == {"team-a": 1}


def test_a_job_without_its_monitor_takes_no_place():
    """Garbage collection deletes it, or somebody has made it up: it must not hold back other checks."""
    store = Store()
    store.put_job(job(), "1")
    assert store.active(Purpose.CHECK).by_namespace == {}

    store.put_monitor(monitor_body())
    assert store.active(Purpose.CHECK).by_namespace == {"team-a": 1}


def test_a_job_of_another_namespace_belongs_to_no_monitor_of_this_one():
    """The API server does not check ownerReferences: anybody may write the UID of a monitor into a Job."""
    store = Store()
    store.put_monitor(monitor_body())
    forged = job(namespace="team-b")

    store.put_job(forged, "1")
    assert known(store).jobs == ()
    assert store.active(Purpose.CHECK).by_namespace == {}

    store.drop_job(forged)
    assert known(store).removed_slot is None


def test_a_slot_whose_job_is_gone_is_remembered():
    """Whoever deleted it: the status may not tell of it yet, and it was started."""
    store = Store()
    store.put_monitor(version(1))
    for slot in (NOON, NOON - HOUR):
        store.put_job(job(slot=slot), "2")
        store.drop_job(job(slot=slot))
    assert known(store).removed_slot == NOON
    store.drop_job(job(slot=NOON + HOUR))  # a watch that was behind tells of its end, and never told of it
    assert known(store).removed_slot == NOON + HOUR

    store.put_monitor(reborn(20))
    assert known(store).removed_slot is None


def test_what_a_new_leader_looks_at_first():
    """What has waited longest, while what promises nothing comes last; and edits that nobody has answered."""
    store = Store()
    dues = {"b": "13:00", "none": None, "a": "12:00", "edited": "14:00", "c": "14:00"}
    for number, (name, due) in enumerate(dues.items()):
        promised = {} if due is None else {"nextCheckTime": f"2026-11-23T{due}:00Z"}
        seen = {"observedGeneration": 0 if name == "edited" else 1}
        store.put_monitor(version(number + 1, name=name, uid=name) | {"status": promised | seen})

    promises = store.oldest_promise_first()
    assert [key.name for key, _ in promises] == ["a", "b", "edited", "c", "none"]
    assert promises[0][1] == NOON
    assert [key.name for key in store.unanswered()] == ["edited"]


@pytest.mark.parametrize("promise", ["soon", 5, None, "2026-11-23T12:00:00"])
def test_a_promise_that_cannot_be_read_is_none(promise):
    """Whoever may write a status may have written anything; the others' turns do not depend on it."""
    store = Store()
    store.put_monitor(version(1) | {"status": {"nextCheckTime": promise}})

    ((_, promised),) = store.oldest_promise_first()
    assert promised.year == 9999


# --- what is late, and what cannot be read ------------------------------------------------------------------


def test_an_answer_that_is_older_than_the_deletion_makes_no_ghost():
    """The status was answered, the watch told of the deletion, and only then the answer was taken in."""
    store = Store()
    store.put_monitor(version(1))
    store.note_deleted(UID, "3")
    store.drop_monitor(CHURN, UID)

    assert not store.put_monitor(version(2))
    assert store.known_keys() == []
    assert store.put_monitor(reborn(4))


def test_a_job_that_was_deleted_meanwhile_does_not_run_for_ever():
    """Likewise: its monitor would wait for its end."""
    store = Store()
    store.put_monitor(version(1))
    store.note_deleted(job().uid, "3")

    assert not store.put_job(job(), "2")
    assert store.jobs() == []


def test_what_a_list_lacked_may_be_there_in_the_next():
    """Only the deletion itself is final: a list may have been a proxy's."""
    store = Store()
    store.put_monitor(version(1))
    store.drop_monitor(CHURN, UID)

    assert store.put_monitor(version(1))


def test_the_oldest_deletions_are_forgotten(monkeypatch):
    """An answer is on its way for seconds; deletions go on for years."""
    monkeypatch.setattr(module, "MOST_DELETED", 3)
    store = Store()
    for number in range(9):
        store.note_deleted(f"uid-{number}", str(number + 1))

    assert list(store._deleted) == ["uid-6", "uid-7", "uid-8"]


def nested(depth: int):
    """Return an object that is nested so deep."""
    found: dict[str, object] = {}
    for _ in range(depth):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"target": nested(5_000)}, "nests deeper"),
        ({"target": "x" * LARGEST_SPEC_BYTES}, "bytes as JSON"),
        ({"target": "\ud800"}, "is none"),
    ],
)
def test_a_spec_that_cannot_be_read_as_a_whole_is_named_and_takes_no_memory(spec, problem):
    """Its monitor says so in Ready, and is left alone until it is edited; no other one notices."""
    store = Store()
    store.put_monitor(version(1) | {"spec": spec})

    assert problem in ready(store)
    assert store.unreadable() == 1
    assert len(store._entries[CHURN].content.document) < 1_000

    store.put_monitor(version(2))
    assert "Checks run" in ready(store)
    assert store.unreadable() == 0


@pytest.mark.parametrize(
    "spec", [{"target": "x" * LARGEST_SPEC_BYTES}, {"target": nested(5_000)}, {"target": "\ud800"}]
)
def test_the_status_of_a_spec_that_cannot_be_read_is_written_once(spec):
    """Without the stored status, each write would be followed by another one at once, for ever."""
    store = Store()
    store.put_monitor(version(1) | {"spec": spec})
    written = status_written(plan_monitor(known(store), NOON))

    store.put_monitor(version(2) | {"spec": spec, "status": written})

    assert plan_monitor(known(store), NOON + MINUTE).step is None


@pytest.mark.parametrize("status", [{"target": nested(5_000)}, {"target": "\ud800"}])
def test_a_status_that_cannot_be_read_as_a_whole_is_absent(status):
    """The spec is then not read either; nothing of it is kept."""
    store = Store()
    store.put_monitor(version(1) | {"status": status})

    assert known(store).monitor.problem
    assert known(store).monitor.status == ModelMonitorStatus()


def ready(store: Store) -> str:
    """Return the message of the condition Ready that is planned."""
    written = status_written(plan_monitor(known(store), NOON - 20 * MINUTE))
    return next(str(each["message"]) for each in written["conditions"] if each["type"] == "Ready")


@pytest.mark.parametrize("part", ["text", 5, ["a"], [], 0, True, {"a": 1}, {"conditions": [None]}])
def test_parts_of_any_type_are_read_as_far_as_they_go(part):
    """As of a CRD without validation, or of a version to come: the spec is invalid, the status absent."""
    store = Store()
    store.put_monitor(version(1) | {"status": part})
    assert "Checks run" in ready(store)

    store.put_monitor(version(2) | {"spec": part})
    assert ready(store).startswith("spec")
    assert [key for key, _ in store.oldest_promise_first()] == store.unanswered() == [CHURN]
    assert len(store.facts()) == 1


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["start", "end", "queue", "drop", "leave", "come"]),
            st.sampled_from("ab"),
            st.integers(0, 3),
        ),
        max_size=30,
    )
)
def test_active_jobs_are_counted_as_if_anew(steps):
    """The running count is that of the Jobs that the store has, whatever came in which order."""
    store = Store()
    for number, (what, namespace, name) in enumerate(steps):
        each = job(RETRAIN, number=name + 1, namespace=namespace, owner_uid=namespace)
        body = version(number + 1, namespace=namespace, uid=namespace)
        match what:
            case "come":
                store.put_monitor(body)
            case "leave":
                store.drop_monitor(Key(namespace, "churn"), namespace)
            case "drop":
                store.drop_job(each)
            case _:
                each = replace(each, finished=what == "end", queued=what == "queue")
                store.put_job(each, str(number + 1))

        alive = {key.namespace for key in store.known_keys()}
        running = (each for each in store.jobs() if not (each.finished or each.queued))
        expected = Counter(each.namespace for each in running if each.namespace in alive)
        tally = store.active(RETRAIN)
        assert (tally.by_namespace, tally.total()) == (expected, expected.total())
