"""What a run that was taken over tries: reports of others, of other times, and of more than it may say."""

from collections.abc import Callable
from typing import Any, Final

from selfheal_operator.api.names import PLURAL, RUNNER_ACCOUNT
from selfheal_operator.core.jobs import check_job_name, promote_job_name, retrain_job_name
from siege.attack import Attack, Seen
from siege.ground import ABROAD, HOME, Ground, passes
from siege.monitors import monitor
from testbed.accounts import role_binding
from testbed.caller import DRY, Caller, collection
from testbed.kubectl import Document
from testbed.unwatched_monitor import SLOT

NAME: Final = "churn"
CHECK: Final = check_job_name(NAME, SLOT)
RETRAIN: Final = retrain_job_name(NAME, 3)
PROMOTE: Final = promote_job_name(NAME, 2)
_POD_OF: Final = {
    "check": f"{CHECK}-x7k2p",
    "retraining": f"{RETRAIN}-b5c9d",
    "promotion": f"{PROMOTE}-q8w3r",
}


_DECIDED: Final = {
    "count": 2,
    "intent": {
        "version": "8",
        "approvedBy": "the gates",
        "decidedTime": f"{SLOT:%Y-%m-%dT%H:%M:%SZ}",
    },
}


def verdict(job: str, **changes: Any) -> Document:
    """Return the outcome of a check."""
    return {
        "scheduledTime": f"{SLOT:%Y-%m-%dT%H:%M:%SZ}",
        "jobName": job,
        "result": "NoDrift",
        "reason": "WithinThreshold",
        "message": "1 of 5 columns drifted",
        "observedGeneration": 1,
        **changes,
    }


def _outcome(job: str) -> Document:
    return verdict(job, result="Registered", reason="ModelRegistered")


def _moved(job: str) -> Document:
    return verdict(job, result="Promoted", reason="ModelPromoted", version="8")


def _version(number: str) -> Document:
    return {"name": f"{HOME}.{NAME}", "version": number, "registeredTime": "2026-11-23T12:00:00Z"}


OWN: Final[dict[str, Document]] = {
    "check": {"lastCheck": verdict(CHECK)},
    "retraining": {"lastRetraining": _outcome(RETRAIN)},
    "promotion": {"lastPromotion": _moved(PROMOTE)},
}


def _monitors(ground: Ground) -> str:
    """Store the monitor that is reported to, with a status of the operator's."""
    for namespace in (HOME, ABROAD):
        document = monitor(NAME, {"suspend": True})
        document["metadata"]["namespace"] = namespace
        ground.apply(document)
        patch = {"status": {"observedGeneration": 1, "missedChecks": 3, "promotion": _DECIDED}}
        passes(
            ground.admin.merge(collection(PLURAL, namespace, NAME, "status"), patch), "the operator's part"
        )
    return collection(PLURAL, HOME, NAME, "status") + DRY


def _reports(name: str, kind: str, more: Document, expected: str) -> Attack:
    """Return the attack of a run that adds to its own report, which alone passes."""

    def do(ground: Ground) -> Seen:
        path = ground.once("monitors to report to", _monitors)
        runner = ground.pod(_POD_OF[kind])
        passes(runner.merge(path, {"status": OWN[kind]}), "its own report")
        reply = runner.merge(path, {"status": {**OWN[kind], **more}})
        return Seen(str(reply), succeeded=reply.taken)

    return Attack(name, 2, f"runner of a {kind}", do, expected)


def _as(name: str, identity: str, who: Callable[[Ground], Caller], expected: str) -> Attack:
    """Return the attack of somebody who sends the report of a run, as which it passes."""

    def do(ground: Ground) -> Seen:
        path = ground.once("monitors to report to", _monitors)
        passes(ground.pod(_POD_OF["check"]).merge(path, {"status": OWN["check"]}), "its own report")
        reply = who(ground).merge(path, {"status": OWN["check"]})
        return Seen(str(reply), succeeded=reply.taken)

    return Attack(name, 2, identity, do, expected)


def _of_another_namespace(ground: Ground) -> Caller:
    ground.apply(role_binding("abroad", HOME, RUNNER_ACCOUNT, RUNNER_ACCOUNT, home=ABROAD))
    return ground.pod(_POD_OF["check"], ABROAD)


def _long_lists(ground: Ground) -> Seen:
    path = ground.once("monitors to report to", _monitors)
    runner = ground.pod(_POD_OF["check"])
    column = {"name": "a", "method": "ks", "score": "0", "threshold": "0"}
    few, many = ([column] * count for count in (1, 20_000))
    passes(runner.merge(path, {"status": {"lastCheck": verdict(CHECK, topDriftedColumns=few)}}), "one column")
    reply = runner.merge(path, {"status": {"lastCheck": verdict(CHECK, topDriftedColumns=many)}})
    return Seen(str(reply)[:200], succeeded=reply.taken)


def _long_message(ground: Ground) -> Seen:
    path = ground.once("monitors to report to", _monitors)
    reply = ground.pod(_POD_OF["check"]).merge(
        path, {"status": {"lastCheck": verdict(CHECK, message="x" * 1_000_000)}}
    )
    return Seen(str(reply)[:200], succeeded=reply.taken)


def _reads(name: str, path: str) -> Attack:
    def do(ground: Ground) -> Seen:
        runner = ground.pod(_POD_OF["check"])
        ground.once("monitors to report to", _monitors)
        passes(runner.ask("GET", collection(PLURAL, HOME, NAME)), "reading its own monitor")
        passes(ground.admin.ask("GET", path), name)
        reply = runner.ask("GET", path)
        return Seen(str(reply), succeeded=reply.taken)

    return Attack(name, 3, "runner of a check", do, "forbidden")


def _edits_spec(ground: Ground) -> Seen:
    ground.once("monitors to report to", _monitors)
    path = collection(PLURAL, HOME, NAME) + DRY
    passes(ground.admin.merge(path, {"spec": {"threshold": 0.9}}), "an administrator's edit")
    reply = ground.pod(_POD_OF["check"]).merge(path, {"spec": {"threshold": 0.9}})
    return Seen(str(reply), succeeded=reply.taken)


_ELSE: Final = "and nothing else"
_JOB: Final = "must name its own Job"
_DECISION: Final = "may only report on the decision in status.promotion.intent"
_STRANGER: Final = "does not belong to a Job of the monitor churn"

_FOUND: Final = {"name": NAME, "version": "1", "registeredTime": f"{SLOT:%Y-%m-%dT%H:%M:%SZ}"}
_PROOFS: Final[dict[str, Document]] = {
    "a digest": {"digest": "a" * 64},
    "an origin": {"origin": "Retraining"},
    "a digest and an origin": {"digest": "a" * 64, "origin": "Retraining"},
}

ATTACKS: Final = (
    _reports("hiding missed checks", "check", {"missedChecks": 0}, _ELSE),
    _reports("a next check in the year 9999", "check", {"nextCheckTime": "9999-12-31T23:59:59-23:59"}, _ELSE),
    _reports("a last slot that has not been", "check", {"lastScheduleTime": "2030-01-01T00:00:00Z"}, _ELSE),
    _reports("a huge count of retrainings", "check", {"retraining": {"count": 999_999_999}}, _ELSE),
    _reports("a generation that was never seen", "check", {"observedGeneration": 99}, _ELSE),
    _reports("the outcome of a retraining", "check", {"lastRetraining": _outcome(RETRAIN)}, _ELSE),
    _reports("the verdict of a check", "retraining", {"lastCheck": verdict(CHECK)}, _ELSE),
    _reports("another task", "retraining", {"task": "Regression"}, _ELSE),
    *(
        _reports(f"a version with {name}", "check", {"model": {**_FOUND, **proof}}, "leave out digest and")
        for name, proof in _PROOFS.items()
    ),
    _reports("another check's Job", "check", {"lastCheck": verdict("churn-check-29923976")}, _JOB),
    _reports("a Job that is none", "check", {"lastCheck": verdict("churn")}, _JOB),
    _reports(
        "another retraining's Job", "retraining", {"lastRetraining": _outcome("churn-retrain-33")}, _JOB
    ),
    _reports("an intent to promote", "retraining", {"promotion": {"count": 9}}, _ELSE),
    _reports("a promotion", "retraining", {"lastPromotion": _moved(PROMOTE)}, _ELSE),
    _reports("the outcome of a retraining", "promotion", {"lastRetraining": _outcome(RETRAIN)}, _ELSE),
    _reports("another version to promote", "promotion", {"challenger": _version("9")}, _ELSE),
    _reports("another promotion's Job", "promotion", {"lastPromotion": _moved("churn-promote-22")}, _JOB),
    _reports(
        "a version that nobody has decided on",
        "promotion",
        {"lastPromotion": {**_moved(PROMOTE), "version": "9"}},
        _DECISION,
    ),
    *(
        _reports(
            f"a version with {name}", "promotion", {"model": {**_FOUND, **proof}}, "leave out digest and"
        )
        for name, proof in _PROOFS.items()
    ),
    *(
        _reports(
            f"a slot of {year}",
            "check",
            {"lastCheck": verdict(CHECK, scheduledTime=f"{year}-01-01T00:00:00Z")},
            "must be the slot of the Job",
        )
        for year in ("9999", "2001")
    ),
    _as(
        "a report of a token without a pod",
        "runner's account",
        lambda g: g.account(RUNNER_ACCOUNT),
        "only the operator",
    ),
    _as(
        "a report to another monitor",
        "runner of another monitor",
        lambda g: g.pod("other-check-29823840-x7k2p"),
        _STRANGER,
    ),
    _as(
        "a report of a pod that is no run",
        "a pod of the runner's account",
        lambda g: g.pod("web-0"),
        _STRANGER,
    ),
    _as(
        "a report from another namespace",
        "runner of another namespace",
        _of_another_namespace,
        "only the operator",
    ),
    Attack("a report of 20,000 columns", 1, "runner of a check", _long_lists, "must have at most"),
    Attack("a message of a megabyte", 1, "runner of a check", _long_message, "may not be more than"),
    Attack("editing its monitor's spec", 3, "runner of a check", _edits_spec, "forbidden"),
    _reads("reading a Secret with a run's token", collection("secrets", HOME, "foreign")),
    _reads("listing all monitors with a run's token", collection(PLURAL)),
    _reads("reading Jobs with a run's token", collection("jobs", HOME)),
)
