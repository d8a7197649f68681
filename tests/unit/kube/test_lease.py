"""The elector, with an API server that fails in every way; its decisions are core.leadership's."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from selfheal_operator.core.errors import ConflictError, RejectedError, UnavailableError
from selfheal_operator.core.leadership import Durations
from selfheal_operator.kube.client import AlreadyExistsError, NotFoundError
from selfheal_operator.kube.lease import Elector, own_identity
from support.builders.objects import NOON

QUICK = Durations(lease=3, renew_deadline=2, retry=1)


class Api:
    """Keeps one Lease."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.fault: Exception | None = None
        self.answer_lost = False
        self._version = 0

    async def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **_: Any
    ) -> dict[str, Any]:
        """Answer as the API server would, or not."""
        del path
        if self.fault is not None:
            raise self.fault
        if method == "GET" and self.lease is None:
            raise NotFoundError("no Lease")
        if method != "GET":
            assert body is not None
            self._store(method, body)
            if self.answer_lost:
                self.answer_lost = False
                raise UnavailableError("lost")
        assert self.lease is not None
        return self.lease

    def _store(self, method: str, body: Mapping[str, Any]) -> None:
        if method == "POST" and self.lease is not None:
            raise AlreadyExistsError("a Lease")
        if method == "PUT":
            if self.lease is None:
                raise NotFoundError("no Lease")
            if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                raise ConflictError("changed")
        self._version += 1
        self.lease = {"metadata": {"resourceVersion": str(self._version)}, "spec": body["spec"]}

    @property
    def holder(self) -> str:
        """Who leads."""
        assert self.lease is not None
        holder: str = self.lease["spec"]["holderIdentity"]
        return holder


def elector(api: Api, identity: str = "me") -> Elector:
    """Return a candidate."""
    return Elector(
        client=api,  # type: ignore[arg-type]  # the one method that it uses
        namespace="selfheal-system",
        name="selfheal-operator",
        identity=identity,
        durations=QUICK,
        clock=lambda: NOON,
    )


@pytest.fixture
def api() -> Api:
    """Return an API server without a Lease."""
    return Api()


async def soon(work: Any, seconds: float = 5) -> None:
    """Do it, or fail."""
    await asyncio.wait_for(work, timeout=seconds)


async def test_the_first_one_leads_at_once(api):
    """And surely for as long as the renewal deadline."""
    me = elector(api)
    assert me.seconds_left() < 0
    await soon(me.acquire())

    assert api.holder == "me"
    assert 1 < me.seconds_left() <= 2


async def test_another_leads_when_the_lease_was_given_back(api):
    """At once, and not when it would have run out."""
    first, second = elector(api, "first"), elector(api, "second")
    await soon(first.acquire())
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.1)
    assert not waiting.done()

    await first.give_back()

    assert first.seconds_left() < 0
    await soon(waiting, 1)
    assert api.holder == "second"


async def test_what_is_not_ours_is_not_given_back(api):
    """One that was slow must not take it from its successor."""
    first, second = elector(api, "first"), elector(api, "second")
    await soon(first.acquire())
    assert api.lease is not None
    api.lease["spec"] = api.lease["spec"] | {"holderIdentity": ""}
    await soon(second.acquire())

    await first.give_back()

    assert api.holder == "second"


async def test_a_leader_goes_on_while_it_renews(api):
    """Past any deadline."""
    me = elector(api)
    await soon(me.acquire())
    keeping = asyncio.create_task(me.keep())
    await asyncio.sleep(2.5)

    assert not keeping.done()
    assert me.seconds_left() > 0
    keeping.cancel()


@pytest.mark.parametrize(
    "fault", [UnavailableError("away"), RejectedError("forbidden"), ConflictError("changed")]
)
async def test_a_leader_that_cannot_renew_leads_no_longer(api, fault):
    """Whatever the reason: it is over when the others may believe so, and not before."""
    me = elector(api)
    await soon(me.acquire())
    left = me.seconds_left()
    api.fault = fault
    begun = asyncio.get_running_loop().time()
    await soon(me.keep())

    assert asyncio.get_running_loop().time() - begun <= left + 0.5
    assert me.seconds_left() < 0


async def test_a_leader_whose_lease_is_anothers_leads_no_longer(api):
    """It finds out at its next renewal."""
    me = elector(api)
    await soon(me.acquire())
    assert api.lease is not None
    api.lease = {
        "metadata": {"resourceVersion": "99"},
        "spec": api.lease["spec"] | {"holderIdentity": "other"},
    }
    await soon(me.keep(), 1.9)

    assert me.seconds_left() < 0


async def test_an_answer_that_was_lost_is_found_again(api):
    """The Lease is ours, and nobody need wait until it has run out."""
    me = elector(api)
    api.answer_lost = True
    await soon(me.acquire(), 2)

    assert api.holder == "me"
    assert me.seconds_left() > 0


async def test_a_renewal_whose_answer_was_lost_does_no_harm(api):
    """The next one finds that the Lease has changed, and that it was by us."""
    me = elector(api)
    await soon(me.acquire())
    keeping = asyncio.create_task(me.keep())
    api.answer_lost = True
    await asyncio.sleep(1.5)
    assert not keeping.done()
    await me.give_back()

    assert api.holder == ""
    await soon(keeping)


def test_each_process_has_a_name_of_its_own():
    """Also after a restart in the same pod."""
    assert own_identity("pod") != own_identity("pod")
    assert own_identity("pod").startswith("pod_")
    assert len(own_identity(None)) > len("_12345678")


@pytest.mark.parametrize("answer", [{"metadata": {}}, {"metadata": {"resourceVersion": "1"}, "spec": "none"}])
async def test_an_answer_that_is_no_lease_ends_nobody(api, answer):
    """Whatever stands between may answer anything: it is asked for again, as after an outage."""
    api.lease = answer
    candidate = elector(api)
    acquiring = asyncio.create_task(candidate.acquire())
    await asyncio.sleep(0.05)
    assert not acquiring.done()
    api.lease = None

    await asyncio.wait_for(acquiring, timeout=10)

    assert candidate.seconds_left() > 0
