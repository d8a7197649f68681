"""Statuses that are already stored, whoever has written them: the operator goes on, and mends its part."""

import json
from typing import Any, Final

from selfheal_operator.api.names import API_VERSION, PLURAL
from siege.attack import Attack, Seen, UntriedError
from siege.caller import MERGE, collection
from siege.ground import HOME, Ground, passes
from siege.monitors import monitor
from testbed.kubectl import Document

_ODD: Final = "9999-12-31T23:59:59-23:59"
_REPORT: Final[Document] = {
    "scheduledTime": "9999-01-01T00:00:00Z",
    "jobName": "any-check-1",
    "result": "Drift",
    "reason": "ThresholdExceeded",
    "message": "forged",
    "observedGeneration": 1,
}
_READY: Final = {"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": _ODD}
_PATH: Final = "../../../../../api/v1/secrets"
_FORGED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "promise": ("a next check at a time that does not exist in UTC", {"nextCheckTime": _ODD}),
    "first-year": ("a next check before the year 1", {"nextCheckTime": "0001-01-01T00:00:00+23:59"}),
    "started": ("a last slot in the year 9999", {"lastScheduleTime": "9999-01-01T00:00:00Z"}),
    "report": ("a report of the year 9999", {"lastCheck": _REPORT}),
    "odd-report": ("a report that ended at no time", {"lastCheck": _REPORT | {"completionTime": _ODD}}),
    "history": ("a history of the year 9999", {"history": [{"scheduledTime": _ODD, "result": "Drift"}]}),
    "record": (
        "a huge count of retrainings",
        {"retraining": {"count": 999_999_999, "lastStartTime": _ODD, "startTimes": [_ODD]}},
    ),
    "missed": ("a count of missed checks that overflows", {"missedChecks": 2**63 - 1}),
    "active": ("an active Job that is a path", {"active": [{"name": _PATH, "uid": "u", "purpose": "Check"}]}),
    "since": ("a condition since a time that does not exist", {"conditions": [_READY]}),
}
_OPERATORS: Final = {"lastCheck", "lastRetraining", "model"}
"""Fields that the containers write; the operator leaves them, and does not believe them."""
_SIGNS: Final = ("9999-", "0001-01", "secrets", str(2**63 - 1), '"count": 999999999')


def _stored(ground: Ground) -> int:
    """Store and forge all of them, and a usual one after them; return the operator's process."""
    for name, (_, forged) in _FORGED.items():
        path = collection(PLURAL, HOME)
        passes(ground.tenant.ask("POST", path, monitor(name)), name)
        reply = passes(ground.admin.merge(f"{path}/{name}/status", {"status": forged}), name)
        if not any(sign in json.dumps(reply.document["status"]) for sign in _SIGNS):
            raise UntriedError(f"{name} is not stored as forged")
    passes(ground.tenant.ask("POST", collection(PLURAL, HOME), monitor("plain")), "a usual monitor")
    ground.wait(lambda: _is_served(ground, "plain"), "a usual monitor is served")
    return ground.operator_process.pid


def _is_served(ground: Ground, name: str) -> bool:
    status = ground.read(PLURAL, name).get("status", {})
    ours = {key: value for key, value in status.items() if key not in _OPERATORS}
    ready = any(each["type"] == "Ready" for each in status.get("conditions", ()))
    return ready and not any(sign in json.dumps(ours) for sign in _SIGNS)


def _forges(name: str) -> Attack:
    """Return the attack of one status: forged before, and again while the operator runs."""

    def do(ground: Ground) -> Seen:
        ground.once("forged statuses", _stored)
        ground.wait(lambda: _is_served(ground, name), f"{name} is mended")
        forged = {"status": _FORGED[name][1]}
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), forged), name)
        ground.wait(lambda: _is_served(ground, name), f"{name} is mended again")
        return _after(ground)

    return Attack(_FORGED[name][0], 2, "whoever may overwrite a status", do, "it serves all")


def _after(ground: Ground) -> Seen:
    """Return how the operator is."""
    log = ground.operator_process.log.read_text()
    alive = ground.operator_process.running
    if not alive or "Traceback" in log:
        return Seen("the operator has ended" if not alive else "a traceback in its log", succeeded=True)
    ground.wait(lambda: _is_served(ground, "plain"), "a usual monitor is served")
    return Seen("it serves all, without a traceback", succeeded=False)


def _takes_over(ground: Ground) -> Seen:
    """Forge all of them, and let another operator start with them."""
    ground.once("forged statuses", _stored)
    for name, (_, forged) in _FORGED.items():
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), {"status": forged}), name)
    ground.operator_process.kill()
    for name, (_, forged) in _FORGED.items():
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), {"status": forged}), name)
    ground.operator_process.start()
    for name in ("plain", *_FORGED):
        ground.wait(lambda name=name: _is_served(ground, name), f"{name} is mended")  # type: ignore[misc]
    return _after(ground)


def _deep_fields(ground: Ground) -> Seen:
    """Have the tenant write managedFields that nest deep, which the API server stores."""
    ground.once("forged statuses", _stored)
    depth = 1200
    record = {
        "manager": "tenant",
        "operation": "Update",
        "apiVersion": API_VERSION,
        "time": "2026-11-23T12:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": "deep",
    }
    fields = '{"f:spec":' + '{"f:a":' * depth + "{}" + "}" * depth + "}"
    patch = json.dumps({"metadata": {"managedFields": [record]}}).replace('"deep"', fields)
    passes(ground.tenant.ask("POST", collection(PLURAL, HOME), monitor("deep")), "a monitor of one's own")
    path = collection(PLURAL, HOME, "deep")
    reply = passes(ground.tenant.ask("PATCH", path, patch, kind=MERGE), "managedFields of one's own")
    if reply.text.count("f:a") < depth:
        raise UntriedError("the API server did not store what nests deep")
    later = f"later-{ground.operator_process.pid}"
    passes(ground.tenant.ask("POST", collection(PLURAL, HOME), monitor(later)), "a later monitor")
    ground.wait(lambda: _is_served(ground, later), "a later monitor is served")
    ground.remove(PLURAL, "deep")  # the attacks of `poison` look for what nests deep
    return _after(ground)


ATTACKS: Final = (
    *(_forges(name) for name in _FORGED),
    Attack(
        "all of them at the start of an operator",
        2,
        "whoever may overwrite a status",
        _takes_over,
        "it serves all",
    ),
    Attack("fields of a manager that nest 1,200 deep", 1, "tenant", _deep_fields, "it serves all"),
)
