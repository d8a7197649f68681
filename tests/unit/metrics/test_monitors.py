import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.metrics.monitors import CHUNK, FAMILIES, SLOTS_DUE, Facts, facts_of, monitor_lines
from support.builders.objects import MINUTE, NOON
from support.scrapes import Scrape

SHARE = "selfheal_monitor_drift_share"
RESULT = "selfheal_monitor_last_check_result"
CONDITION = "selfheal_monitor_condition"
SUCCESS = "selfheal_monitor_last_successful_check_timestamp_seconds"
MISSED = "selfheal_monitor_missed_checks_total"
SUSPENDED = "selfheal_monitor_suspended"
MODEL = "selfheal_monitor_model_info"


def document(status: Any = None, **spec: Any) -> dict[str, Any]:
    """Return a monitor as the API server shows it, as far as the metrics look."""
    return {"spec": spec, "status": status or {}}


async def scrape(*documents: dict[str, Any], names: Callable[[int], str] = "m{}".format) -> Scrape:
    """Return what a scrape at noon reads of these monitors of team-a, which are m0, m1 and so on."""
    named = [(("team-a", names(number)), facts_of(found)) for number, found in enumerate(documents)]
    return Scrape("".join([lines async for lines in monitor_lines(named, NOON)]))


async def test_a_new_monitor_has_only_what_is_known_of_it():
    """A share of 0 would say that nothing drifted, where nobody has looked."""
    read = await scrape(document())
    monitor = {"namespace": "team-a", "monitor": "m0"}
    assert {sample.name for name in read.families for sample in read.families[name].samples} == {
        MISSED,
        SUSPENDED,
        SLOTS_DUE.name,
    }
    assert (read.value(MISSED, **monitor), read.value(SUSPENDED, **monitor)) == (0, 0)


async def test_conditions_to_act_on_show_as_they_are():
    """An alert on RetrainingFailed ends with the next success; Unknown is neither."""
    listed = [
        {"type": "Ready", "status": "Unknown"},
        {"type": "RetrainingFailed", "status": "True"},
        {"type": "DriftDetected", "status": "True"},
    ]
    read = await scrape(document({"conditions": listed}), document({"conditions": "none"}))
    assert read.value(CONDITION, condition="RetrainingFailed", monitor="m0") == 1
    assert [len(read.families[CONDITION].samples)] == [1]

    fine = [{"type": "Ready", "status": "True"}, {"type": "RetrainingFailed", "status": "False"}]
    read = await scrape(document({"conditions": fine}))
    assert [read.value(CONDITION, condition=kind) for kind in ("Ready", "RetrainingFailed")] == [1, 0]


async def test_a_verdict_shows_with_its_share():
    """The result is a label: a word that changes is no number."""
    read = await scrape(document({"lastCheck": {"result": "Drift", "driftShare": "0.4000"}}))
    assert read.value(SHARE) == 0.4
    assert read.value(RESULT, result="Drift") == 1


async def test_a_check_that_could_not_look_has_a_result_and_no_share():
    """Could not look is not looks bad."""
    read = await scrape(document({"lastCheck": {"result": "Error"}}))
    assert read.value(RESULT, result="Error") == 1
    assert read.value(SHARE) is None


async def test_a_monitor_has_one_result():
    """That of before is gone: a sum over results counts each monitor once."""
    before = {"lastCheck": {"result": "Drift", "driftShare": "0.4000"}}
    after = {"lastCheck": {"result": "NoDrift", "driftShare": "0.0000"}}
    assert len((await scrape(document(before))).samples(RESULT)) == 1
    assert [sample.labels["result"] for sample in (await scrape(document(after))).samples(RESULT)] == [
        "NoDrift"
    ]


async def test_the_time_of_the_last_success_is_in_seconds_since_the_epoch():
    """As Prometheus' own time()."""
    read = await scrape(document({"lastSuccessfulCheckTime": "2026-11-23T12:00:00Z"}))
    assert read.value(SUCCESS) == NOON.timestamp()


async def test_missed_checks_are_a_counter():
    """The status counts them for the life of the monitor, so rate() and increase() hold over restarts."""
    read = await scrape(document({"missedChecks": 7}))
    assert read.value(MISSED) == 7
    assert read.families["selfheal_monitor_missed_checks"].type == "counter"


@pytest.mark.parametrize(("spec", "value"), [({"suspend": True}, 1), ({"suspend": False}, 0), ({}, 0)])
async def test_suspension_shows(spec, value):
    """So that an alert on old checks can leave out those that nobody wants."""
    assert (await scrape(document(None, **spec))).value(SUSPENDED) == value


async def test_the_model_and_its_version_are_labels():
    """Other series are joined with it by namespace and monitor."""
    read = await scrape(document({"model": {"name": "team-a.churn", "version": "8"}}))
    assert read.value(MODEL, model="team-a.churn", version="8") == 1


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1))
async def test_no_name_of_a_model_breaks_the_format(name):
    """Users name models: quotes, backslashes and line ends come through as they are."""
    read = await scrape(document({"model": {"name": name, "version": "8"}}), document())
    (sample,) = read.samples(MODEL)
    assert sample.labels == {"namespace": "team-a", "monitor": "m0", "model": name, "version": "8"}
    assert len(read.samples(SUSPENDED)) == 2


FIELDS = st.sampled_from(
    [
        "lastCheck",
        "result",
        "driftShare",
        "model",
        "name",
        "version",
        "missedChecks",
        "nextCheckTime",
        "lastSuccessfulCheckTime",
        "suspend",
    ]
)
WORDS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ANYTHING = WORDS | st.lists(WORDS, max_size=2) | st.dictionaries(FIELDS, WORDS, max_size=3)
DOCUMENTS = st.dictionaries(FIELDS, ANYTHING, max_size=4)


@given(DOCUMENTS, DOCUMENTS)
async def test_a_monitor_that_is_written_otherwise_does_not_spoil_the_scrape(status, spec):
    """A newer CRD may allow what this operator does not expect; all other monitors are shown all the same."""
    read = await scrape(document(status, **spec), document({"missedChecks": 7}))
    assert read.value(MISSED, monitor="m1") == 7


@pytest.mark.parametrize(
    ("next_check", "due"), [(NOON - MINUTE, 1), (NOON, 1), (NOON + MINUTE, 0), (None, 0)], ids=str
)
async def test_a_slot_is_due_from_its_time_until_it_has_a_job(next_check, due):
    """That is the status's nextCheckTime; it is absent where nothing is due, as in suspension."""
    status = {"nextCheckTime": next_check.strftime("%Y-%m-%dT%H:%M:%SZ")} if next_check else {}
    assert (await scrape(document(status), document())).value(SLOTS_DUE.name) == due


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
async def test_no_monitor_is_left_out(count):
    """However the text is cut into pieces."""
    read = await scrape(*[document()] * count)
    assert {sample.labels["monitor"] for sample in read.samples(SUSPENDED)} == {f"m{n}" for n in range(count)}


async def test_others_have_a_turn_between_any_two_pieces():
    """A piece holds no more than a few hundred lines, and the event loop goes on after each."""
    named = [(("team-a", f"m{n}"), facts_of(document())) for n in range(3 * CHUNK)]
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    pieces = [piece async for piece in monitor_lines(named, NOON)]
    counting.cancel()
    assert max(piece.count("\n") for piece in pieces) <= CHUNK
    assert turns >= 3 * len(FAMILIES)


def test_a_monitor_is_read_into_few_bytes():
    """Ten thousand are kept: no more than numbers and one or two words of each."""
    facts = facts_of(
        document({"lastCheck": {"result": "Drift", "driftShare": "0.4000", "message": "x" * 4096}})
    )
    assert facts == Facts(False, "Drift", 0.4, None, 0, None, None, ())
