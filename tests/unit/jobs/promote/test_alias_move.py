"""Moving an alias, with a registry in memory; real MLflow is asked in tests/integration/test_promotion.py."""

import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.promote.alias_move import AliasMove, End, move_alias
from support.fakes.aliases import NAME, REGISTERED, Aliases, Fault, KilledError


def move(aliases: Aliases, expected: str | None = "7", registered: datetime | None = None):
    """Move the alias to version 8."""
    wanted = AliasMove(
        name=NAME,
        alias="champion",
        version="8",
        expected=expected,
        approved_by="the gates",
        registered_time=registered,
    )
    return move_alias(aliases, wanted)


@pytest.mark.parametrize("before", ["7", None])
def test_the_alias_moves_from_where_it_is_expected_and_the_version_says_who_decided(before):
    """Also where there is none yet."""
    aliases = Aliases(8, before)

    assert move(aliases, expected=before).end is End.DONE
    assert aliases.sets == [(before, "8")]
    assert aliases.tags["8"] == {"selfheal.approvedBy": "the gates", "selfheal.promotion": "Promoted"}


def test_an_alias_that_is_there_already_is_not_set_again():
    """An earlier attempt has moved it, and died before its report; the tags are set all the same."""
    aliases = Aliases(8, "8")

    assert move(aliases).end is End.DONE
    assert aliases.sets == []
    assert aliases.tags["8"]["selfheal.approvedBy"] == "the gates"


@pytest.mark.parametrize(("expected", "found"), [("7", "6"), ("7", None), (None, "6")])
def test_an_alias_that_somebody_else_has_moved_stays_where_it_is(expected, found):
    """Moved, deleted, or made where there was none."""
    aliases = Aliases(8, found)

    moved = move(aliases, expected=expected)
    assert (moved.end, moved.found) == (End.MOVED_ELSEWHERE, found)
    assert (aliases.alias, aliases.sets) == (found, [])


def test_a_version_that_is_gone_gets_no_alias():
    """It was deleted from the registry."""
    aliases = Aliases(7, "7")

    assert move(aliases).end is End.VERSION_GONE
    assert aliases.alias == "7"


def test_another_version_of_the_same_number_gets_no_alias():
    """The model was deleted and made anew: its numbers begin again."""
    aliases = Aliases(8, "7")

    assert move(aliases, registered=REGISTERED + timedelta(seconds=1)).end is End.VERSION_REPLACED
    assert (aliases.alias, aliases.sets) == ("7", [])


def test_a_version_is_recognized_by_the_second_in_which_it_was_registered():
    """The status holds no fraction of it."""
    aliases = Aliases(8, "7")

    assert move(aliases, registered=REGISTERED).end is End.DONE


@pytest.mark.parametrize("request_number", range(6))
@pytest.mark.parametrize("fault", [Fault.AWAY, Fault.LOST_ANSWER, Fault.KILLED])
def test_whichever_request_fails_the_next_attempt_comes_to_the_same_end(fault, request_number):
    """The six requests: the version, the alias, the set, the alias again, and two tags."""
    aliases = Aliases(8, "7")
    aliases.faults = iter([*[Fault.NONE] * request_number, fault])

    with pytest.raises((TrackingError, KilledError)):
        move(aliases)
    assert move(aliases).end is End.DONE
    assert aliases.sets == [("7", "8")]


def test_what_somebody_sets_after_a_lost_answer_is_not_overwritten():
    """The set was carried out; its repetition begins with the read."""
    aliases = Aliases(9, "7")
    aliases.faults = iter([Fault.NONE, Fault.NONE, Fault.LOST_ANSWER])
    with pytest.raises(TrackingError):
        move(aliases)

    aliases.alias = "9"
    assert move(aliases).end is End.MOVED_ELSEWHERE
    assert aliases.alias == "9"


def test_a_promotion_imports_no_data_science():
    """Its whole program, as the container starts it."""
    heavy = ("numpy", "pandas", "pyarrow", "sklearn", "scipy", "mlflow", "evidently", "requests")
    program = (
        "import sys, selfheal_jobs.__main__, selfheal_jobs.promote.run, selfheal_jobs.delivery.status_patch; "
        f"print(sorted(set({heavy!r}) & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
