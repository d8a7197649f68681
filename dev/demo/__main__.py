"""`python -m demo`: sets the stage, plays, shows what came of it, and leaves all running until Ctrl-C."""

import argparse
import os
import signal
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType

from demo.addresses import addresses, fetch_reports
from demo.expectations import Outcome, disappointment
from demo.local import local_place, stop_leftovers
from demo.own_cluster import own_cluster_place
from demo.place import Place
from demo.play import Play
from demo.registry import Registry
from demo.reports import served
from demo.scenarios import write_tables
from demo.summary import score_table
from demo.teller import Teller, fail
from localcluster.errors import LocalClusterError
from testbed.errors import TestbedError
from testbed.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Play, and return the exit code: 0 if every monitor did as expected."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end by itself instead of waiting for Ctrl-C")
    parser.add_argument("--kubeconfig", type=Path, help="use this cluster instead of a local one")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    folder, teller = Workspace(), Teller()
    try:
        with folder.locked():
            return demonstrate(folder, teller, kubeconfig=options.kubeconfig, stay=not options.exit)
    except (TestbedError, LocalClusterError) as error:
        fail(str(error))
        return 1
    except KeyboardInterrupt:
        fail("interrupted; everything that it started is stopped")
        return 130


def demonstrate(folder: Workspace, teller: Teller, *, kubeconfig: Path | None, stay: bool) -> int:
    """Run the whole demo in an empty folder."""
    stop_leftovers(folder)
    folder.create()
    teller.say("preparing the data")
    write_tables(folder.data, teller.say)
    with place(folder, teller, kubeconfig) as stage, served(folder.reports) as reports:
        play, registry = Play(stage, folder, teller), Registry(stage.tracking_uri)
        outcomes = play.perform()
        play.show_monitors("after")
        teller.show(
            "Scores on held-out rows that no version has learnt from (* decides):", score_table(outcomes)
        )
        code = judge(outcomes, teller)
        fetch_reports(registry, outcomes, folder.reports)
        if stay:  # otherwise all of it is gone in a moment
            teller.show("Where to look:", addresses(stage, registry, outcomes, reports))
            wait_for_interrupt(stage, teller)
    folder.remove()
    teller.say("all is stopped and removed")
    return code


def place(folder: Workspace, teller: Teller, kubeconfig: Path | None) -> AbstractContextManager[Place]:
    """Return the stage: the user's cluster if one is named, else one of our own."""
    if kubeconfig is None:
        return local_place(folder, teller.say)
    return own_cluster_place(folder, kubeconfig, teller.say)


def judge(outcomes: list[Outcome], teller: Teller) -> int:
    """Tell what is not as expected, if anything, and return the exit code."""
    sentences = [sentence for each in outcomes if (sentence := disappointment(each))]
    for sentence in sentences:
        fail(sentence)
    if not sentences:
        teller.say("as expected: one monitor stayed quiet, two were retrained and predict better")
    return 1 if sentences else 0


def wait_for_interrupt(stage: Place, teller: Teller) -> None:
    """Return at Ctrl-C; raise `ProgramFailedError` when something ends before."""
    teller.say("everything keeps running; Ctrl-C ends it")
    pause = threading.Event()
    try:
        while not pause.wait(2):
            stage.check()
    except KeyboardInterrupt:
        teller.say("stopping")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
