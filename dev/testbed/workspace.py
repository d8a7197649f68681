"""A folder for the files of one run: data, logs and process records."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import SetupError

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = "lock"


@dataclass(frozen=True)
class Workspace:
    """Everything that one run writes; the next run in it empties it first."""

    root: Path = REPOSITORY / ".demo"

    @property
    def data(self) -> Path:
        """The prepared tables."""
        return self.root / "data"

    @property
    def cluster(self) -> Path:
        """The local cluster's own folder."""
        return self.root / "cluster"

    @property
    def mlflow(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlflow"

    @property
    def reports(self) -> Path:
        """The drift reports, to be opened in a browser."""
        return self.root / "reports"

    def log(self, name: str) -> Path:
        """Name the file that takes a program's output."""
        return self.root / "logs" / f"{name}.log"

    def record(self, name: str) -> Path:
        """Name the file that says which process a program is."""
        return self.root / "processes" / f"{name}.json"

    def records(self) -> list[Path]:
        """Return all files that `record` has named."""
        return list(self.root.glob("processes/*.json"))

    def create(self) -> None:
        """Create the folder, or empty it."""
        self.remove()
        for folder in (self.data, self.mlflow, self.reports, self.root / "logs", self.root / "processes"):
            folder.mkdir(parents=True)

    def remove(self) -> None:
        """Delete everything but the lock."""
        for entry in self.root.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != LOCK:
                entry.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one demo at a time use the folder.

        Raises:
            SetupError: Another demo runs. The kernel releases its lock when it ends, however it ends.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / LOCK).open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SetupError(f"a demo runs already in {self.root}; stop it there with Ctrl-C") from None
            yield
