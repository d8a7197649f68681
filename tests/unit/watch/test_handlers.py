"""What the watch tells is taken in object by object: one that cannot be read ends no operator."""

from typing import Any

import pytest

from selfheal_operator.controller.store import Key, Store
from selfheal_operator.kube.batch_jobs import BatchJobs
from selfheal_operator.watch import handlers
from selfheal_operator.watch.memo import Memo
from selfheal_operator.watch.session import WatchSession
from support.builders.objects import UID, monitor_body

CHURN = Key("team-a", "churn")
on_monitor: Any = handlers.on_monitor  # kopf declares arguments that it passes and nobody needs
on_run: Any = handlers.on_run


@pytest.fixture
def memo() -> Memo:
    """Return a standby's memo."""
    nobody: Any = None
    session = WatchSession(lambda: None, ("modelmonitors", "jobs"))
    return Memo(Store(), session, BatchJobs(nobody))


def at(version: str, **metadata: Any) -> dict[str, Any]:
    """Return the monitor at a version."""
    body = monitor_body()
    return body | {"metadata": body["metadata"] | {"resourceVersion": version} | metadata}


@pytest.mark.parametrize("handler", [on_monitor, on_run])
@pytest.mark.parametrize("body", [{}, {"metadata": None}, {"metadata": "none"}])
async def test_an_object_that_cannot_be_read_is_named_and_skipped(memo, handler, body, caplog):
    """Kopf would neither tell nor try again."""
    await handler(event={"type": "ADDED", "object": body}, memo=memo)

    assert caplog.messages == ["Object skipped"]
    await on_monitor(event={"type": "ADDED", "object": at("1")}, memo=memo)
    assert memo.store.known_keys() == [CHURN]


async def test_an_answer_that_comes_after_the_deletion_makes_no_ghost(memo):
    """A write of the status was on its way when the monitor was deleted."""
    await on_monitor(event={"type": "ADDED", "object": at("1")}, memo=memo)
    await on_monitor(event={"type": "DELETED", "object": at("3")}, memo=memo)

    assert not memo.store.put_monitor(at("2"))
    assert memo.store.uid_of(CHURN) is None
    assert UID not in memo.store.known_monitors()
