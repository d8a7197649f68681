"""Statuses that are already stored, whoever has written them: the operator goes on, and mends its part."""

import json
from typing import Final

from selfheal_operator.api.names import PLURAL
from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, Ground, passes
from siege.monitors import monitor
from testbed.caller import MERGE, collection
from testbed.forged_statuses import FORGED, REPORTED, SIGNS
from testbed.nested_documents import deep_managed_fields

_TITLES: Final = {
    "promise": "a next check at a time that does not exist in UTC",
    "first-year": "a next check before the year 1",
    "started": "a last slot in the year 9999",
    "report": "a report of the year 9999",
    "odd-report": "a report that ended at no time",
    "history": "a history of the year 9999",
    "record": "a huge count of retrainings",
    "missed": "a count of missed checks that overflows",
    "active": "an active Job that is a path",
    "since": "a condition since a time that does not exist",
}
_SIGNS: Final = (*SIGNS, '"count": 999999999')


def _stored(ground: Ground) -> int:
    """Store and forge all of them, and a usual one after them; return the operator's process."""
    for name, forged in FORGED.items():
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
    ours = {key: value for key, value in status.items() if key not in REPORTED}
    ready = any(each["type"] == "Ready" for each in status.get("conditions", ()))
    return ready and not any(sign in json.dumps(ours) for sign in _SIGNS)


def _forges(name: str) -> Attack:
    """Return the attack of one status: forged before, and again while the operator runs."""

    def do(ground: Ground) -> Seen:
        ground.once("forged statuses", _stored)
        ground.wait(lambda: _is_served(ground, name), f"{name} is mended")
        forged = {"status": FORGED[name]}
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), forged), name)
        ground.wait(lambda: _is_served(ground, name), f"{name} is mended again")
        return _after(ground)

    return Attack(_TITLES[name], 2, "whoever may overwrite a status", do, "it serves all")


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
    for name, forged in FORGED.items():
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), {"status": forged}), name)
    ground.operator_process.kill()
    for name, forged in FORGED.items():
        passes(ground.admin.merge(collection(PLURAL, HOME, name, "status"), {"status": forged}), name)
    ground.operator_process.start()
    for name in ("plain", *FORGED):
        ground.wait(lambda name=name: _is_served(ground, name), f"{name} is mended")  # type: ignore[misc]
    return _after(ground)


def _deep_fields(ground: Ground) -> Seen:
    """Have the tenant write managedFields that nest deep, which the API server stores."""
    ground.once("forged statuses", _stored)
    depth = 1200
    patch = deep_managed_fields("tenant", depth)
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
    *(_forges(name) for name in FORGED),
    Attack(
        "all of them at the start of an operator",
        2,
        "whoever may overwrite a status",
        _takes_over,
        "it serves all",
    ),
    Attack("fields of a manager that nest 1,200 deep", 1, "tenant", _deep_fields, "it serves all"),
)
