"""The simulated MLflow: what promotions see of it, and what is recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.move import moves_in
from chaos.registry import KilledError, RequestFault, SimulatedRegistry
from selfheal_jobs.errors import TrackingError
from selfheal_jobs.promote.alias_move import AliasMove, End, move_alias
from selfheal_operator.api.reasons import Purpose
from support.builders.run_requests import run_request

NAME = "team-a.churn"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The file of moves."""
    return tmp_path / "moves.jsonl"


@pytest.fixture
def registry(log: Path) -> Iterator[SimulatedRegistry]:
    """Two versions, of which the first has the alias."""
    registry = SimulatedRegistry(log)
    registry.registered(NAME, "run-1")
    registry.move_by_hand(NAME, 1)
    registry.registered(NAME, "run-2")
    yield registry
    registry.close()


def move(registry: SimulatedRegistry, fault: RequestFault | None = None, number: int = 0) -> End:
    """Move the alias from version 1 to version 2."""
    connection = registry.connection(run_request(purpose=Purpose.PROMOTE), fault, number)
    wanted = AliasMove(name=NAME, alias="champion", version="2", expected="1", approved_by="the gates")
    return move_alias(connection, wanted).end


def test_a_run_registers_one_version_however_often_it_is_started(registry: SimulatedRegistry) -> None:
    """As retrainings do, and it remembers where the alias was."""
    first, again = registry.registered(NAME, "run-2"), registry.registered(NAME, "run-2")

    assert first == again
    assert (first[0].version, first[1]) == ("2", "1")


def test_moves_are_recorded_in_order(registry: SimulatedRegistry, log: Path) -> None:
    """Of a person, of a promotion, and again of a person, who deletes the alias."""
    assert move(registry) is End.DONE
    registry.move_by_hand(NAME, 0)

    assert [(each.before, each.after, bool(each.uid)) for each in moves_in(log)] == [
        (None, "1", False),
        ("1", "2", True),
        ("2", None, False),
    ]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    ("fault", "error"), [(RequestFault.LOST_ANSWER, TrackingError), (RequestFault.DEATH, KilledError)]
)
def test_a_fault_strikes_one_request(
    registry: SimulatedRegistry, log: Path, fault: RequestFault, error: type[BaseException], number: int
) -> None:
    """It was carried out; the next attempt comes to the end."""
    with pytest.raises(error):
        move(registry, fault, number)

    assert move(registry) is End.DONE
    assert [(each.before, each.after) for each in moves_in(log)][1:] == [("1", "2")]


def test_while_it_is_away_nothing_is_carried_out(registry: SimulatedRegistry, log: Path) -> None:
    """Until its time is over."""
    registry.go_away(3600)
    with pytest.raises(TrackingError):
        move(registry)
    registry.go_away(0)

    assert len(moves_in(log)) == 1
    assert move(registry) is End.DONE
