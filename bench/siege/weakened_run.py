"""`python -m siege.weakened_run <guards> check|retrain`: a run whose process lacks some guards.

The product has no switch for any of them. Here the guard's function is exchanged in this one process, before
the container's command runs.
"""

import sys

from selfheal_jobs.__main__ import main as run_main
from siege.weakenings import WEAKENINGS


def main() -> None:
    """Take the guards away, then run the container's command."""
    for guard in sys.argv[1].split(","):
        WEAKENINGS[guard]()
    sys.exit(run_main(sys.argv[2:]))


if __name__ == "__main__":
    main()
