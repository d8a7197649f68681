"""A run counts only if the work was done."""

from pathlib import Path

import pytest

from selfheal_bench.check.contenders import CONTENDERS, PROGRAMS, Installed
from selfheal_bench.check.entrant import UnfitRunError
from selfheal_bench.check.ours import OurCheck
from selfheal_bench.check.stub import Stub
from selfheal_bench.check.tables import SIZES, Tables

TABLES = Tables(size=SIZES["S"], reference=Path("reference"), current=Path("current"))
VERDICT = {
    "result": "NoDrift",
    "columnsChecked": 6,
    "columnsDrifted": 1,
    "rows": {"reference": 500, "current": 500, "sampled": False},
    "runID": "0",
}


def our_check(*verdicts):
    """Return our check, after it has reported these."""
    reported = [{"lastCheck": each} for each in verdicts]
    servers = Stub(kubeconfig=Path("kubeconfig"), mlflow="http://mlflow", reported=reported)
    return OurCheck(servers=servers, folder=Path())


def test_our_run_counts_when_its_last_word_is_the_verdict_with_the_run_in_mlflow():
    """The verdict is delivered twice: first alone, then with what MLflow knows."""
    first = {name: value for name, value in VERDICT.items() if name != "runID"}

    assert our_check(first, VERDICT).verify(TABLES, "") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"result": "Drift"},
        {"result": "Error"},
        {"columnsChecked": 5},
        {"rows": {"reference": 500, "current": 400, "sampled": False}},
        {"rows": {"reference": 500, "current": 500, "sampled": True}},
    ],
)
def test_our_run_does_not_count_with_another_verdict(change):
    """It would have done less work, or other work."""
    with pytest.raises(UnfitRunError, match="another one than expected"):
        our_check(VERDICT | change).verify(TABLES, "")


def test_our_run_does_not_count_without_its_run_in_mlflow():
    """Its calls to MLflow are part of what is measured."""
    with pytest.raises(UnfitRunError):
        our_check({name: value for name, value in VERDICT.items() if name != "runID"}).verify(TABLES, "")


def test_a_report_is_looked_at_once():
    """A run that reported nothing must not be taken for the one before it."""
    check = our_check(VERDICT)
    check.verify(TABLES, "")

    with pytest.raises(UnfitRunError, match="not reported anything"):
        check.verify(TABLES, "")


WITH_DRIFT = Tables(size=SIZES["S"], reference=Path("reference"), current=Path("current"), drifted=True)
DRIFT = VERDICT | {
    "result": "Drift",
    "columnsDrifted": 6,
    "reportURI": "mlflow-artifacts:/1/drift_report.html",
}


def test_a_run_with_drift_counts_when_all_columns_have_drifted_and_the_page_was_logged():
    """The page is what is measured there."""
    assert our_check(DRIFT).verify(WITH_DRIFT, "") == 6


@pytest.mark.parametrize("change", [{"result": "NoDrift"}, {"columnsDrifted": 5}, {"reportURI": None}])
def test_a_run_with_drift_does_not_count_without_all_of_it(change):
    """Less drift or no page would be less work."""
    verdict = {name: value for name, value in (DRIFT | change).items() if value is not None}

    with pytest.raises(UnfitRunError, match="another one than expected"):
        our_check(verdict).verify(WITH_DRIFT, "")


def test_a_page_without_drift_does_not_count():
    """It would be more work than what is told."""
    with pytest.raises(UnfitRunError, match="another one than expected"):
        our_check(VERDICT | {"reportURI": "mlflow-artifacts:/1"}).verify(TABLES, "")


@pytest.mark.parametrize("name", CONTENDERS)
def test_another_tools_run_counts_when_it_has_compared_all_columns(name):
    """Whatever a library prints before the last line."""
    installed = Installed(contender=CONTENDERS[name], python=Path("python"), output=Path("report.html"))

    assert installed.verify(TABLES, 'a banner\n{"columns": 6, "drifted": 2}\n') == 2
    with pytest.raises(UnfitRunError, match="compared 5 of 6 columns"):
        installed.verify(TABLES, '{"columns": 5, "drifted": 2}')
    assert (PROGRAMS / installed.contender.program).is_file()
