"""`python -m stories [NAME]`: runs the stories of docs/retraining.md, and prints what happens."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stories import broken_feed, promotion, refusal
from testbed.errors import TestbedError
from testbed.mlflow_server import running_mlflow

STORIES: Final[Mapping[str, Callable[[Path, str], None]]] = {
    "promotion": promotion.tell,
    "refusal": refusal.tell,
    "broken-feed": broken_feed.tell,
}
ALL: Final = "all"


def main() -> int:
    """Run one story or all, and return the exit code."""
    parser = argparse.ArgumentParser(prog="stories", description=__doc__)
    parser.add_argument("story", nargs="?", choices=[*STORIES, ALL], default=ALL)
    story = parser.parse_args().story
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    with tempfile.TemporaryDirectory(prefix="selfheal-stories-") as temporary:
        data, root = Path(temporary) / "data", Path(temporary) / "mlflow"
        data.mkdir()
        root.mkdir()
        try:
            with running_mlflow(root) as server:
                for name in STORIES if story == ALL else [story]:
                    STORIES[name](data, server.uri)
        except TestbedError as error:
            sys.stderr.write(f"stories: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
