"""Our cron beside the Go library that Kubernetes' CronJob uses: the same slots, and the same refusals."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crondiff.cases import ZONES, questions, whole_year
from crondiff.comparison import compare, our_slots
from crondiff.robfig import Question, RefusedError, Robfig, robfig
from crondiff.timezones import DAY, changes_in, time_zone, year_begins
from selfheal_operator.core.cron import MACROS, CronError, parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def library() -> Iterator[Robfig]:
    """One Go process for all questions."""
    with robfig(print) as library:
        yield library


def test_the_library_is_the_one_that_kubernetes_is_built_with() -> None:
    """The local cluster's controller-manager and the comparison pin the same version."""
    ours = (ROOT / "dev/crondiff/robfig/go.mod").read_text()
    kubernetes = (ROOT / "dev/localcluster/modules/go.mod").read_text()

    pinned = re.compile(r"github\.com/robfig/cron/v3 (v\S+)")

    assert pinned.findall(ours) == pinned.findall(kubernetes) != []


@pytest.mark.parametrize(("name", "year"), ZONES)
def test_a_year_of_slots_is_the_same_but_where_cronjob_contradicts_itself(library, name, year):
    """For every expression; what is left is explained by how the clock was changed, one by one."""
    comparisons = [compare(library, question) for question in questions(name, year, every_minute=False)]

    assert sum(comparison.slots for comparison in comparisons) > 10_000
    assert [str(found) for one in comparisons for found in one.differences if found.cause is None] == []


@pytest.mark.parametrize(
    ("name", "expression", "slot", "lost"),
    [
        ("Africa/Cairo", "0 5 * * 5", "Fri 2026-04-24 05:00", True),
        ("Africa/Cairo", "0 5 * * 4", "Fri 2026-04-24 05:00", False),
        ("Asia/Beirut", "0 5 * * 0", "Sun 2026-03-29 05:00", True),
        ("America/Santiago", "0 5 * * 6", "Sun 2026-09-06 05:00", False),
        ("Australia/Lord_Howe", "0 5 * * 0", "Sun 2026-10-04 05:00", True),
        ("Australia/Lord_Howe", "40 1 * * *", "Sun 2026-10-04 02:40", False),
        ("Pacific/Chatham", "15,45 2 * * *", "Sun 2026-04-05 02:45", True),
        ("Pacific/Chatham", "15,45 2 * * *", "Sun 2026-09-27 03:45", False),
    ],
)
def test_the_differences_that_the_documentation_tells_of_are_there(library, name, expression, slot, lost):
    """Once the library gets over such changes, docs/modelmonitor.md has to be told."""
    compared = compare(library, whole_year(name, 2026, expression))

    assert (slot, lost) in {(wall(found.slot, name), found.lost) for found in compared.differences}


def wall(slot: int, name: str) -> str:
    """Return what the clock shows."""
    return datetime.fromtimestamp(slot, time_zone(name)).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("2098-12-31T23:58:59+00:00", []),
        ("2098-12-31T23:59:59+00:00", ["2104-02-29T00:00:00+00:00"]),  # 2100 is no leap year
    ],
)
def test_both_look_five_years_ahead(library, after, found):
    """Five calendar years: from the last minute of 2098, 2104 is too far."""
    begin = int(datetime.fromisoformat(after).timestamp())
    question = Question("0 0 29 2 *", "UTC", begin, year_begins(2105))

    assert library.slots(question) == [datetime.fromisoformat(slot).timestamp() for slot in found]
    assert compare(library, question).differences == ()


# --- random expressions -------------------------------------------------------------------------------------


def field(low: int, high: int, names: str = "") -> st.SearchStrategy[str]:
    """Return a strategy for everything that a field can hold."""
    number = st.integers(low, high)
    value = number.map(str) | (st.sampled_from(names.split()) if names else number.map("{:02}".format))
    span = st.tuples(number, number).map(sorted).map("{0[0]}-{0[1]}".format)
    step = st.integers(1, high + 2).map("/{}".format)
    stepped = st.tuples(st.sampled_from("*?") | span | value, step).map("".join)
    term = value | span | stepped | st.sampled_from("**?")
    return term | st.lists(term, min_size=2, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(
    field(0, 59),
    field(0, 23) | st.integers(0, 3).map(str),
    st.just("*") | field(1, 31),
    st.just("*") | field(1, 12, "jan FEB mar Apr may jun jul aug sep oct nov dec"),
    st.just("*") | field(0, 6, "sun MON tue Wed thu fri sat"),
).map(" ".join) | st.sampled_from(sorted(MACROS))


@given(
    zone=st.sampled_from(ZONES),
    expression=EXPRESSIONS,
    near=st.integers(0, 4),
    seconds=st.integers(-2 * DAY, DAY),
)
@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
def test_the_next_slots_of_any_expression_are_the_same(library, zone, expression, near, seconds):
    """From any second on, mostly near a change of the clock: the next twenty, or those of three years."""
    name, year = zone
    times = [year_begins(year) + 180 * DAY, *(change.time for change in changes_in(name, year))]
    after = times[near % len(times)] + seconds
    until = after + 3 * 365 * DAY
    first = list(islice(our_slots(Question(expression, name, after, until)), 20))

    compared = compare(library, Question(expression, name, after, first[-1] if len(first) == 20 else until))

    assert [str(found) for found in compared.differences if found.cause is None] == []


# --- what is refused ----------------------------------------------------------------------------------------


def refusals(library: Robfig, expression: str) -> tuple[bool, bool]:
    """Return whether we refuse an expression, and whether Kubernetes refuses it for a CronJob."""
    return _refuses(lambda: parse(expression), CronError), _refuses(
        lambda: library.slots(Question(expression, "UTC", 0, 0)), RefusedError
    )


def _refuses(call, error) -> bool:
    try:
        call()
    except error:
        return True
    return False


def listed(*lines: str) -> list[str]:
    """Return what stands between the bars."""
    return [expression for line in lines for expression in line.split("|")]


@pytest.mark.parametrize(
    "expression",
    listed(
        "@daily|@hourly|* * * * *|? ? ? ? ?|?,* * * * *|  0\t0  *\n* *  |00 007 * * *",
        "1,,2 * * * *|,1, * * * *|+5 * * * *|*/+5 * * * *|1-1/1 * * * *|5/15 * * * *",
        "0 0 1 JAN-dec SUN-Sat|0 0 * jan/3 mon/2|0 0 31 2 *|0 0 30 2 *",
        "*/999 * * * *|*/9223372036854775807 * * * *",
    ),
)
def test_both_take(library, expression):
    """What is unusual, and has a meaning."""
    assert refusals(library, expression) == (False, False)


@pytest.mark.parametrize(
    "expression",
    listed(
        "| |@|@reboot|@Daily|@DAILY|@daily | @daily|@daily * * * *|@every|@every 5",
        "* * * *|* * * * * *|0 0 * * * 2026|* * * * *;",
        "60 * * * *|0 24 * * *|0 0 0 * *|0 0 32 * *|0 0 * 0 *|0 0 * 13 *|0 0 * * 7|0 0 * * 1-7",
        "0 0 * * sunday|0 0 * * fri-mon|0 0 * * 0-mond|jan * * * *|0 0 mon * *|0 0 * mon *|0 0 * * jan",
        "-1 * * * *|1- * * * *|-1-5 * * * *|1-2-3 * * * *|5-1 * * * *|5--9 * * * *",
        "*/0 * * * *|*/ * * * *|/5 * * * *|*/-5 * * * *|*/5/5 * * * *|*/a * * * *|*/mon * * * *",
        "*5 * * * *|** * * * *|5* * * * *|*,a * * * *|1.5 * * * *|1;2 * * * *|+ * * * *",
        "0x5 * * * *|1_0 * * * *|1e1 * * * *|++5 * * * *|5+ * * * *|٣ * * * *|² * * * *|*/² * * * *",
        "L * * * *|0 0 L * *|0 0 15W * *|0 0 * * 5L|0 0 * * 1#2|H * * * *",
        "99999999999999999999 * * * *|*/9223372036854775808 * * * *",
        "TZ=UTC 0 0 * * *|CRON_TZ=Europe/Berlin 0 0 * * *|TZ=UTC * * * *|TZ=0|TZ=|TZ=UTC @daily",
    ),
)
def test_both_refuse(library, expression):
    """What has no meaning; and time zones, which have a field of their own."""
    assert refusals(library, expression) == (True, True)


@pytest.mark.parametrize(
    "expression",
    listed("@every 5m|@every 1h30m|*-5 * * * *|?-a * * * *|*-1-2/3 * * * *|, * * * *|0 0 ,, * *"),
)
def test_only_we_refuse(library, expression):
    """As docs/modelmonitor.md says, and why."""
    assert refusals(library, expression) == (True, False)


ONLY_WE = re.compile(r"(.*[ ,])?[*?]-.*|(.* )?,+( .*)?")
"""A range that begins with a star, and a field that holds nothing but commas."""


SIGNS = st.text("0123456789*?/,-+", min_size=1, max_size=4)


@given(parts=st.lists(SIGNS | field(0, 6, "sun jan mon"), min_size=5, max_size=5))
@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
def test_nothing_else_is_refused_by_one_side_only(library, parts):
    """Fields of random signs, most of which mean nothing."""
    ours, theirs = refusals(library, expression := " ".join(parts))

    assert ours == theirs or (ours and ONLY_WE.fullmatch(expression))
