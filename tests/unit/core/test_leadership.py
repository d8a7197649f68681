"""Who may lead, by what was seen of a Lease and when."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_operator.core.leadership import (
    Durations,
    Lease,
    Sighting,
    claim,
    lease_from,
    lease_name,
    release,
    sighting,
)
from support.builders.objects import NOON

DURATIONS = Durations(lease=10, renew_deadline=7, retry=2)


def lease(version: int = 1, holder: str = "other", duration: float = 10) -> Lease:
    """Return a Lease that somebody holds."""
    return Lease(
        resource_version=str(version), holder=holder, duration=duration, transitions=0, acquire_time=None
    )


def body(spec, version: int = 1):
    """Return a Lease document."""
    return {"metadata": {"resourceVersion": str(version)}, "spec": spec}


@pytest.mark.parametrize(("now", "left"), [(100, 10), (109.9, pytest.approx(0.1)), (110, 0), (500, 0)])
def test_anothers_lease_runs_out_as_long_after_it_was_seen_as_it_lasts(now, left):
    """At the very end of it, it may be taken."""
    assert Sighting(lease(), 100).seconds_left("me", now) == left


@pytest.mark.parametrize("holder", ["", "me"])
def test_a_lease_that_is_nobodys_or_ours_may_be_had_at_once(holder):
    """Given back; or taken by a call of ours whose answer was lost."""
    assert Sighting(lease(holder=holder), 100).seconds_left("me", 100) == 0


def test_looking_again_at_the_same_state_does_not_prolong_it():
    """Its holder has not renewed: it counts from when that state was first seen."""
    first = sighting(None, lease(1), 100)

    assert sighting(first, lease(1), 105) == Sighting(lease(1), 100)
    assert sighting(first, lease(2), 105) == Sighting(lease(2), 105)


def test_a_lease_that_was_deleted_still_has_to_run_out():
    """Its holder may not have noticed, and write."""
    seen = sighting(None, lease(), 100)

    assert sighting(seen, None, 105) == seen
    assert sighting(None, None, 105) is None


@pytest.mark.parametrize(("lease_", "renew", "retry"), [(10, 10, 2), (10, 7, 7), (7, 10, 2), (3, 2, 0)])
def test_durations_that_would_let_two_lead_are_refused(lease_, renew, retry):
    """Each has to be longer than the one before."""
    with pytest.raises(ValueError, match="each has to be longer"):
        Durations(lease=lease_, renew_deadline=renew, retry=retry)


def test_a_new_leader_counts_a_transition():
    """And says since when it leads."""
    taken = lease_from(body(claim(lease(), "me", DURATIONS, NOON)), DURATIONS)

    assert (taken.holder, taken.duration, taken.transitions) == ("me", 10, 1)
    assert taken.acquire_time == "2026-11-23T12:00:00.000000Z"


def test_the_first_leader_counts_none():
    """There is no Lease yet."""
    assert lease_from(body(claim(None, "me", DURATIONS, NOON)), DURATIONS).transitions == 0


def test_a_renewal_leaves_all_but_the_time_as_it_was():
    """People read from it how long somebody has led."""
    first = claim(lease(), "me", DURATIONS, NOON)
    again = claim(lease_from(body(first), DURATIONS), "me", DURATIONS, NOON + timedelta(seconds=2))

    assert again == first | {"renewTime": "2026-11-23T12:00:02.000000Z"}


def test_a_lease_that_is_given_back_may_be_had_at_once():
    """By anybody."""
    given = lease_from(body(release(lease(holder="me"), NOON)), DURATIONS)

    assert Sighting(given, 100).seconds_left("another", 100) == 0


@pytest.mark.parametrize("spec", [None, {}, {"holderIdentity": None, "leaseDurationSeconds": None}])
def test_a_lease_without_contents_is_nobodys(spec):
    """Anybody may have made it."""
    read = lease_from(body(spec), DURATIONS)

    assert (read.holder, read.duration, read.transitions) == ("", 10, 0)


def test_each_set_of_namespaces_has_its_own_lease():
    """However it was written down; its name is a valid one."""
    assert lease_name([]) == "selfheal-operator"
    assert lease_name(["a", "b"]) == lease_name(["b", "a", "b"])
    assert len({lease_name([]), lease_name(["a"]), lease_name(["b"]), lease_name(["a", "b"])}) == 4
    assert len(lease_name([f"team-{number}" for number in range(1000)])) <= 63


# --- never two ----------------------------------------------------------------------------------------------


@dataclass
class Server:
    """Holds the Lease; each write makes it another state."""

    version: int = 0
    spec: dict[str, object] | None = None

    def read(self) -> Lease | None:
        """Return the Lease as it is now."""
        return None if self.spec is None else lease_from(body(self.spec, self.version), DURATIONS)

    def write(self, expected: Lease | None, spec) -> bool:
        """Store it, if it is still as expected."""
        if (expected.resource_version if expected else None) != (str(self.version) if self.spec else None):
            return False
        self.version, self.spec = self.version + 1, spec
        return True


@dataclass
class Candidate:
    """Acts as `Elector` does, but may be stopped at any point, and a call may take any time either way."""

    name: str
    server: Server
    seen: Sighting | None = None
    known: Lease | None = None
    valid_until: float = -1
    begun: float | None = None
    arrived: bool | None = None
    stored: Lease | None = None

    def look(self, now: float) -> None:
        """Read the Lease."""
        self.known = self.server.read()
        self.seen = sighting(self.seen, self.known, now)

    def begin(self, now: float) -> None:
        """Decide to take or renew it, if that may be done."""
        may = self.seen is None or self.seen.seconds_left(self.name, now) == 0
        self.begun, self.arrived = now if may else None, None

    def arrive(self, _: float) -> None:
        """The call reaches the server, which carries it out."""
        if self.begun is not None and self.arrived is None:
            self.arrived = self.server.write(self.known, claim(self.known, self.name, DURATIONS, NOON))
            self.stored = self.server.read()

    def end(self, now: float) -> None:
        """The answer comes; what counts is when the call was begun."""
        if self.begun is not None and self.arrived:
            self.known = self.stored
            self.seen = sighting(None, self.known, now)
            self.valid_until = self.begun + DURATIONS.renew_deadline
        self.begun = self.arrived = None

    def turn(self, now: float) -> None:
        """Do all of it in no time."""
        self.look(now)
        self.begin(now)
        self.arrive(now)
        self.end(now)

    def give_back(self, now: float) -> None:
        """Let somebody else lead."""
        if self.leads(now) and self.known is not None:
            self.valid_until = -1  # before it is sent
            self.server.write(self.known, release(self.known, NOON))

    def leads(self, now: float) -> bool:
        """Say whether it would write."""
        return now < self.valid_until


def deleted(server: Server, candidates) -> None:
    """Delete the Lease, while all have seen its newest state."""
    if all(each.seen and each.seen.lease == server.read() for each in candidates):
        server.spec = None


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 6.5, 3, 7, 9.5, 10]),
        st.integers(0, 2),
        st.sampled_from(["turn", "turn", "turn", "look", "begin", "arrive", "end", "give_back", "delete"]),
    ),
    min_size=20,
    max_size=40,
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(STEPS)
def test_never_do_two_lead(steps):
    """Whoever is slow, stopped, cut off or unheard: at no time would two of three write."""
    server, now = Server(), 0.0
    candidates = [Candidate(name, server) for name in "abc"]
    for pause, which, action in steps:
        now += pause
        if action == "delete":
            deleted(server, candidates)
        else:
            getattr(candidates[which], action)(now)
        assert sum(each.leads(now) for each in candidates) <= 1
