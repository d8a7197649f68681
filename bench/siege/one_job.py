"""Two pods of one Job, as after a partition of the network: both retrain, and both register."""

import threading
from functools import partial
from typing import Final

from selfheal_operator.api.reasons import Purpose
from siege.attack import Attack, Seen, UntriedError
from siege.ground import Ground
from siege.runs import End, Wanted, ended, new_name, prepared
from siege.stranger import own_name, stranger
from siege.tables import plain_spec
from siege.tracking import in_front
from siege.web_server import Answer, Asked

_CREATE: Final = "/api/2.0/mlflow/model-versions/create"
_SECONDS: Final = 90


def _both_register(ground: Ground) -> Seen:
    """Hold the first pod's registration until the second one registers as well."""
    server, name = in_front(ground, "slow MLflow"), new_name("twice")
    really, both = server.otherwise, threading.Barrier(2)

    def together(asked: Asked) -> Answer:
        both.wait(_SECONDS)
        return really(asked)

    server.route(_CREATE, together)
    wanted = Wanted(purpose=Purpose.RETRAIN, spec=plain_spec(ground), mlflow=server.address, name=name)
    pods = [prepared(ground, wanted) for _ in range(2)]
    ends: list[End] = []
    threads = [threading.Thread(target=lambda pod=pod: ends.append(ended(ground, pod))) for pod in pods]
    threads[0].start()
    ground.wait(partial(_is_asked, both), "the first pod registers", _SECONDS)
    threads[1].start()
    for thread in threads:
        thread.join()
    created = len(server.to(_CREATE))
    versions = stranger(ground).versions(own_name(name))
    if created != 2 or len(ends) != 2:
        raise UntriedError(f"{created} registrations of {len(ends)} pods: {[end.said for end in ends]}")
    told = {end.outcome.get("version") for end in ends}
    got = f"{len(versions)} version of {created} stays, and {len(told)} is reported"
    good = len(versions) == 1 and told == {versions[0]["version"]}
    return Seen(got, succeeded=not good)


def _is_asked(barrier: threading.Barrier) -> bool:
    return barrier.n_waiting == 1


ATTACKS: Final = (
    Attack(
        "two pods of one Job that register at once",
        5,
        "a partitioned node",
        _both_register,
        "1 version of 2 stays, and 1 is reported",
    ),
)
