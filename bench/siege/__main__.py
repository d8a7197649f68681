"""`python -m siege`: tries all attacks, and exits with 1 unless every one is held.

With `--mutations`: exits with 1 unless an attack succeeds without each guard.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from siege.all_attacks import KINDS
from siege.attack import Attack, Outcome, Verdict, attempt
from siege.ground import Ground, clear, say
from siege.guards import GUARDS, restore

DEFAULT_FOLDER: Final = Path(__file__).resolve().parents[2] / ".siege"


def main() -> None:
    """Run the command line."""
    arguments = _arguments()
    clear(arguments.folder)
    signal.signal(signal.SIGTERM, _leave)
    ground = Ground(arguments.folder)
    try:
        say("starting a cluster and an operator")
        ground.start()
        good = (
            _without_guards(ground, arguments.kinds)
            if arguments.mutations
            else _with_guards(ground, arguments.kinds)
        )
    finally:
        ground.stop()
    sys.exit(not good)


def _with_guards(ground: Ground, kinds: Sequence[str]) -> bool:
    began = time.monotonic()
    outcomes = [_tried(attack, ground) for kind in kinds for attack in KINDS[kind]]
    held = sum(outcome.verdict is Verdict.HELD for outcome in outcomes)
    seconds = round(time.monotonic() - began)
    print(f"{held} of {len(outcomes)} attacks are held, in {seconds} s")
    print(json.dumps({"attacks": len(outcomes), "held": held, "seconds": seconds}))
    return held == len(outcomes)


def _without_guards(ground: Ground, kinds: Sequence[str]) -> bool:
    needed = {}
    for guard in (each for each in GUARDS if set(each.kinds) & set(kinds)):
        say(f"without {guard.name}")
        guard.take_away(ground)
        ground.forget()
        tried = [each for kind in guard.kinds for each in KINDS[kind] if guard.tries(each.name)]
        outcomes = [attempt(attack, ground) for attack in tried if _is_safe(attack)]
        found = [each.attack.name for each in outcomes if each.verdict is Verdict.SUCCEEDED]
        needed[guard.name] = len(found)
        print(f"without {guard.name}: {len(found)} of {len(outcomes)} attacks succeed")
        print("".join(f"    {name}\n" for name in found), end="", flush=True)
        if guard is not GUARDS[-1]:
            restore(ground, guard)
    idle = [name for name, count in needed.items() if not count]
    print(f"guards that no attack needs: {', '.join(idle) or 'none'}")
    print(json.dumps({"guards": needed, "idle": idle}))
    return not idle


def _is_safe(attack: Attack) -> bool:
    """Return whether it leaves a cluster behind whose objects can be listed, even if it succeeds."""
    return "9,990" not in attack.name


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m siege", description=__doc__)
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of attacks; all otherwise"
    )
    parser.add_argument("--mutations", action="store_true", help="take one guard away at a time instead")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="for logs and data")
    return parser.parse_args()


def _tried(attack: Attack, ground: Ground) -> Outcome:
    outcome = attempt(attack, ground)
    print(f"{outcome.verdict.value:9}  {attack.section}  {attack.identity}: {attack.name}")
    print(f"           expected: {attack.expected}\n           got: {outcome.got}", flush=True)
    return outcome


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
