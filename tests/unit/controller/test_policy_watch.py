"""What the operator says of the admission policies, and when it says nothing."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import generate_latest

from selfheal_operator.controller.policy_watch import RETRY_SECONDS, PolicyWatch
from selfheal_operator.core.errors import RejectedError, SelfhealError, UnavailableError
from selfheal_operator.kube.admission_policies import denies, fails_closed
from selfheal_operator.metrics.instruments import Instruments
from support.scrapes import Scrape

PERIOD = 600.0
ALL = {"selfheal-jobs": True, "selfheal-spec": True, "selfheal-status": True}
SPEC_MISSING = {**ALL, "selfheal-spec": False}


class Installed:
    """What is installed at each look, one after the other."""

    def __init__(self, *found: Mapping[str, bool] | SelfhealError) -> None:
        self._found = list(found)

    async def enforced(self) -> Mapping[str, bool]:
        """Return or raise the next."""
        found = self._found.pop(0)
        if isinstance(found, SelfhealError):
            raise found
        return found


async def looked(*found: Mapping[str, bool] | SelfhealError) -> tuple[Scrape, list[float]]:
    """Look as often as something is found; return what a scrape reads then, and the pauses."""
    instruments = Instruments()
    watch = PolicyWatch(Installed(*found), instruments, PERIOD)
    pauses = [await watch.look() for _ in found]
    return Scrape(generate_latest(instruments.registry).decode()), pauses


def shown(scrape: Scrape) -> dict[str, float | None]:
    """Return the series of each policy."""
    return {name: scrape.value("selfheal_policy_enforced", policy=name) for name in ALL}


async def test_a_missing_policy_is_named_in_the_log_and_is_zero(caplog: pytest.LogCaptureFixture) -> None:
    """With what to do about it."""
    scrape, pauses = await looked(SPEC_MISSING)
    (record,) = caplog.records
    assert (record.levelno, record.__dict__["policies"]) == (logging.WARNING, "selfheal-spec")
    assert "apply" in record.__dict__["hint"]
    assert shown(scrape) == {"selfheal-jobs": 1, "selfheal-spec": 0, "selfheal-status": 1}
    assert pauses == [PERIOD]


async def test_it_is_said_once_until_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    """A later installation clears it, and a removal is said again."""
    caplog.set_level(logging.INFO)
    scrape, _ = await looked(SPEC_MISSING, SPEC_MISSING, ALL, ALL, SPEC_MISSING, ALL)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING", "INFO"]
    assert set(shown(scrape).values()) == {1}


async def test_may_not_look_is_not_missing(caplog: pytest.LogCaptureFixture) -> None:
    """No warning, and no series that an alert would see, not even that of an earlier look."""
    caplog.set_level(logging.INFO)
    scrape, pauses = await looked(SPEC_MISSING, RejectedError("forbidden"))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert set(shown(scrape).values()) == {None}
    assert pauses == [PERIOD, PERIOD]


async def test_an_outage_changes_nothing_and_is_asked_again_soon(caplog: pytest.LogCaptureFixture) -> None:
    """What was found before is the newest that is known; other parts of the operator report the outage."""
    scrape, pauses = await looked(ALL, UnavailableError("down"))
    assert caplog.records == []
    assert set(shown(scrape).values()) == {1}
    assert pauses == [PERIOD, RETRY_SECONDS]


@pytest.mark.parametrize(
    ("policy", "actions", "enforced"),
    [
        ("selfheal-spec", ["Deny"], ["selfheal-spec"]),
        ("selfheal-spec", ["Deny", "Audit"], ["selfheal-spec"]),
        ("selfheal-spec", ["Warn", "Audit"], []),
        ("another", ["Deny"], ["another"]),
    ],
)
def test_a_binding_enforces_its_policy_only_if_it_denies(
    policy: str, actions: list[str], enforced: list[str]
) -> None:
    """One that warns lets the request pass."""
    binding = {"spec": {"policyName": policy, "validationActions": actions}}
    assert [name for name in ("selfheal-spec", "another") if denies(binding, name)] == enforced


@pytest.mark.parametrize(
    ("match", "everywhere"),
    [
        ({}, True),
        ({"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"selfheal": "yes"}}}, False),
        ({"objectSelector": {"matchLabels": {"selfheal": "yes"}}}, False),
        ({"excludeResourceRules": [{"resources": ["*"]}]}, False),
    ],
)
def test_a_binding_that_leaves_requests_out_does_not_count(
    match: dict[str, Any], *, everywhere: bool
) -> None:
    """A policy that holds in some namespaces only is not in force."""
    spec = {"policyName": "selfheal-spec", "validationActions": ["Deny"], "matchResources": match}
    assert denies({"spec": spec}, "selfheal-spec") == everywhere


@pytest.mark.parametrize(
    ("spec", "closed"),
    [
        ({}, True),
        ({"failurePolicy": "Fail"}, True),
        ({"failurePolicy": "Ignore"}, False),
        ({"failurePolicy": "Fail", "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}, False),
    ],
)
def test_a_policy_that_may_fail_open_does_not_count(spec: dict[str, Any], *, closed: bool) -> None:
    """One with a parameter is not found to be in force after a reinstallation, though it is there."""
    assert fails_closed({"spec": spec}) == closed
