import pytest

from selfheal_bench.check.usage import Ratio, Usage, middle


def usage(wall=1.0, cpu=1.0, peak=100.0):
    """Return what one run took."""
    return Usage(wall_seconds=wall, cpu_seconds=cpu, peak_mib=peak)


def test_each_figure_has_a_median_of_its_own():
    """The run that is in the middle by its time need not be so by its memory."""
    runs = [usage(wall=3.0, cpu=1.0, peak=20.0), usage(wall=1.0, cpu=2.0, peak=30.0), usage(2.0, 9.0, 10.0)]

    assert middle(runs) == usage(wall=2.0, cpu=2.0, peak=20.0)


def test_one_slow_run_does_not_move_the_median():
    """What else the machine does hits single runs."""
    assert middle([usage(1.0), usage(1.1), usage(50.0)]).wall_seconds == 1.1


def test_a_ratio_compares_the_runs_of_one_round():
    """A round in which the whole machine was ten times slower says the same as the others."""
    ours = [usage(wall=0.1), usage(wall=1.0), usage(wall=0.1)]
    others = [usage(wall=2.0), usage(wall=20.0), usage(wall=2.0)]

    assert Ratio.of(ours, others).wall == pytest.approx(0.05)


def test_below_one_is_less_of_ours():
    """Each figure is divided by itself."""
    ratio = Ratio.of([usage(wall=1.0, cpu=3.0, peak=50.0)], [usage(wall=4.0, cpu=2.0, peak=100.0)])

    assert ratio == Ratio(wall=0.25, cpu=1.5, memory=0.5)


def test_runs_without_a_partner_are_not_compared():
    """A missing run would shift all later rounds."""
    with pytest.raises(ValueError, match="shorter"):
        Ratio.of([usage(), usage()], [usage()])


def test_the_kernels_kibibytes_become_mebibytes():
    """The stopwatch prints what wait4 says."""
    printed = {"exitCode": 0, "wallSeconds": 0.5, "cpuSeconds": 0.4, "peakKiB": 2048}

    assert Usage.of_json(printed) == usage(wall=0.5, cpu=0.4, peak=2.0)
