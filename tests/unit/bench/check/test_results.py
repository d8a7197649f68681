import json

from selfheal_bench.check.results import HEAD, document, ratio, table
from selfheal_bench.check.rounds import Runs
from selfheal_bench.check.tables import SIZES
from selfheal_bench.check.targets import targets
from selfheal_bench.check.usage import Usage

TITLES = {"selfheal": "Ours", "evidently": "Theirs", "nannyml": "Another"}


def runs(*walls, peak=100.0):
    """Return the runs of one program, one for each wall time."""
    return Runs(usages=tuple(Usage(wall_seconds=each, cpu_seconds=each, peak_mib=peak) for each in walls))


MEASURED = {
    "selfheal": runs(0.3, 0.2, 0.4, peak=80.0),
    "evidently": runs(6.0, 4.0, 8.0, peak=320.0),
    "nannyml": Runs(problem="it could not be installed: no such version"),
}


def test_a_table_has_a_line_for_each_and_ratios_for_all_but_ours():
    """A ratio of ours to itself would say nothing."""
    title, head, ours, theirs, _ = table(SIZES["S"], MEASURED, TITLES)

    assert title == "S: 500 rows on each side, 6 columns (5 numerical, 1 categorical)"
    assert head == HEAD
    assert ours.split() == ["Ours", "0.30", "0.30", "80", "|"]
    assert theirs.split() == ["Theirs", "6.00", "6.00", "320", "|", "0.050", "0.050", "0.250"]


def test_whoever_could_not_run_is_in_the_table_with_the_reason():
    """Nobody is dropped in silence."""
    *_, last = table(SIZES["S"], MEASURED, TITLES)

    assert last.split("  ")[0] == "Another"
    assert last.endswith("not measured: it could not be installed: no such version")


def test_there_is_no_ratio_to_figures_that_are_not_there():
    """Neither where it could not run, nor where it was not asked for."""
    assert ratio(MEASURED, "nannyml") is None
    assert ratio(MEASURED, "frouros") is None


def test_the_json_holds_null_for_whoever_could_not_run():
    """With the reason beside it, so that a reader of the JSON need not have seen the table."""
    size = document({"S": MEASURED}, SIZES, [])["sizes"]["S"]

    assert size["medians"]["nannyml"] is None
    assert size["ratios"]["nannyml"] is None
    assert size["problems"] == {"nannyml": "it could not be installed: no such version"}


def test_the_json_holds_medians_ratios_and_targets():
    """It is one document that any reader of JSON takes."""
    goals = list(targets({"S": ratio(MEASURED, "evidently")}))
    read = json.loads(json.dumps(document({"S": MEASURED}, SIZES, goals)))

    assert read["sizes"]["S"]["medians"]["selfheal"] == {
        "runs": 3,
        "wallSeconds": 0.3,
        "cpuSeconds": 0.3,
        "peakMiB": 80.0,
        "columnsDrifted": 0,
    }
    assert read["sizes"]["S"]["ratios"] == {
        "evidently": {"wall": 0.05, "cpu": 0.05, "memory": 0.25},
        "nannyml": None,
    }
    assert read["targets"][0] == {
        "size": "S",
        "figure": "wall",
        "of": "Evidently's",
        "most": 0.08,
        "found": 0.05,
        "met": True,
    }
    assert read["missedTargets"] == []


def test_the_json_names_the_targets_that_were_missed():
    """By size, figure and what it is compared with."""
    slow = MEASURED | {"selfheal": runs(3.0, 2.0, 4.0, peak=80.0)}
    goals = list(targets({"S": ratio(slow, "evidently")}))

    assert document({"S": slow}, SIZES, goals)["missedTargets"] == ["S wall of Evidently's"]


def test_with_drift_there_is_a_table_of_its_own():
    """Its figures are those of other work: the page is made."""
    title, *_ = table(SIZES["S"], MEASURED, TITLES, drifted=True)
    written = document({}, SIZES, [], {"S": MEASURED})

    assert title.endswith("all drifted: both make the page")
    assert written["sizes"] == {}
    assert written["onDrift"]["S"]["ratios"]["evidently"]["wall"] == 0.05
