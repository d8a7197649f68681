"""`python -m chaos`: injects faults, audits, and prints; exits with 1 if a slot was lost or doubled."""

import argparse
import asyncio
import json
import random
import shutil
import sys
from pathlib import Path

from chaos.faults import OF_PROMOTIONS, Kind
from chaos.findings import Findings, Odd
from chaos.journal import JOURNAL
from chaos.node import DRIFT_SHARE
from chaos.plan import plan_faults
from chaos.run import Outcome, Run, audit_again

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / ".chaos"


def main() -> None:
    """Run the command line."""
    arguments = _arguments()
    if arguments.audit:
        findings = audit_again(arguments.folder)
        _print_wrong(findings)
        print(findings)
        return
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed} (repeat with SEED={seed})", flush=True)
    _clear(arguments.folder)
    play = Run(
        seed=seed,
        faults=plan_faults(seed, arguments.faults, OF_PROMOTIONS if arguments.promotions else tuple(Kind)),
        monitors=arguments.monitors,
        speed=arguments.speed,
        folder=arguments.folder,
        drift_share=1 if arguments.promotions else DRIFT_SHARE,
        say=lambda line: print(line, flush=True),
    )
    outcome = asyncio.run(play.perform())
    _print(outcome)
    if not outcome.passes(arguments.faults):
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="of the list of faults; a new one otherwise")
    parser.add_argument("--faults", type=int, default=1000, help="how many")
    parser.add_argument("--monitors", type=int, default=30)
    parser.add_argument("--speed", type=int, default=10, help="how much faster the operators' time runs")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="for logs and the journal")
    parser.add_argument(
        "--promotions", action="store_true", help="only what can come between the steps of a promotion"
    )
    parser.add_argument(
        "--audit", action="store_true", help="audit the run in the folder again, nothing else"
    )
    return parser.parse_args()


def _clear(folder: Path) -> None:
    """Remove only what an earlier run left there."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / JOURNAL).exists():
            sys.exit(f"{folder} holds other things than a chaos run: choose another --folder")
        shutil.rmtree(folder)


def _print(outcome: Outcome) -> None:
    found, journal = outcome.findings, outcome.journal
    _print_wrong(found)
    for kind in Kind:
        print(f"{journal.struck[kind]:6} {kind.title}")
    print(f"{journal.struck.total():6} faults in {outcome.seconds:.0f} s; journal: {journal.path}")
    print(
        f"{found.slots} slots accounted for; {found.started} checks started, {found.missed} slots missed and "
        f"counted; {found.retrainings} retrainings; {found.promotions} promotions, which moved {found.moved} "
        f"aliases; {found.monitors} monitors, {outcome.lives} operator lives"
    )
    for odd in Odd:
        versions = [oddity.version for oddity in found.oddities if oddity.odd is odd]
        elected = sum(version > outcome.curtain for version in versions)
        print(f"{len(versions) - elected:6} with three leaders, {elected} with one: {odd.value}")
    print(
        f"{found.orphans:6} Jobs made for monitors that had just been deleted; garbage collection took them"
    )
    print("Real: operators, API server, etcd, controllers. Simulated: the node, and MLflow.")
    print(json.dumps(_summary(outcome)))


def _print_wrong(found: Findings) -> None:
    for title, sentences in (
        ("LOST", found.lost),
        ("DOUBLED", found.doubled),
        ("BROKEN", found.broken),
        ("DEAD", found.dead),
    ):
        for sentence in sentences:
            print(f"{title}: {sentence}")


def _summary(outcome: Outcome) -> dict[str, int]:
    found = outcome.findings
    return {
        "seed": outcome.seed,
        "slots": found.slots,
        "started": found.started,
        "missed": found.missed,
        "faults": outcome.journal.struck.total(),
        "promotions": found.promotions,
        "moved": found.moved,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "broken": len(found.broken),
        "deadOperators": len(found.dead),
    }


if __name__ == "__main__":
    main()
