"""A model in a confined process, asked as a fitted model is: `predict`, `predict_proba`, `classes_`.

Its process gets no environment variable, no file but the model's own and the libraries', and no network. What
it answers are values: see `answers_wire`.
"""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import pandas as pd
from numpy.typing import NDArray

from selfheal_jobs.isolation import model_process
from selfheal_jobs.isolation.answers_wire import ForgedAnswerError, receive
from selfheal_jobs.isolation.model_process import LOAD, SERVE
from selfheal_jobs.isolation.row_values import without_row_values
from selfheal_jobs.quiet_libraries import QUIET
from selfheal_jobs.redaction import printable

LONGEST_SECONDS: Final = 1800.0
"""A model that takes longer for one answer is no use to anybody."""

_MODULE: Final = model_process.__name__

_MOST_BYTES: Final = 2**30
_LONGEST_ERROR: Final = 300

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONTZPATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that the process gets; none of them is a user's secret."""


class ModelError(Exception):
    """A model cannot be loaded or asked; the message says why."""


class IsolatedModel:
    """A model whose code runs elsewhere. Use `isolated`, which ends the process."""

    def __init__(
        self, process: subprocess.Popen[bytes], answers: BinaryIO, folder: Path, seconds: float
    ) -> None:
        self._process = process
        self._answers = answers
        self._seconds = seconds
        self.methods: frozenset[str] = frozenset()
        """What it can be asked besides its predictions."""
        self.folder = folder
        """The folder to put the model's files into, as MLflow stores them, before `load`."""
        self.names: tuple[str, ...] | None = None
        """The columns of its signature, if it is asked by these only; else None."""

    def load(self, *, as_served: bool = False) -> None:
        """Load the model from its folder.

        Args:
            as_served: Whether it is asked as MLflow's server asks it: by pyfunc, with any columns.

        Raises:
            ModelError: It cannot be loaded, or this node cannot confine a process.
        """
        _forget_server(self.folder)
        self._put(SERVE if as_served else LOAD)
        header, classes = self._answer()
        names, methods = header.get("names"), header.get("methods")
        self.names = tuple(map(str, names)) if isinstance(names, list) else None
        self.methods = frozenset(map(str, methods)) if isinstance(methods, list) else frozenset()
        if classes is not None:
            self.classes_ = classes

    def __getattr__(self, name: str) -> Any:
        if name not in ("predict_proba", "decision_function") or name not in self.methods:
            raise AttributeError(name)
        return lambda rows: self._ask(name, rows)

    def predict(self, rows: pd.DataFrame, /) -> Any:
        """Return one prediction per row.

        Raises:
            ModelError: The model raises an error, ends its process, or does not answer.
        """
        return self._ask("predict", rows)

    def _ask(self, method: str, rows: pd.DataFrame) -> NDArray[Any]:
        self._put((method, rows))
        try:
            _, values = self._answer()
        except ModelError as error:
            raise ModelError(without_row_values(str(error), rows)) from None
        if values is None:
            raise ModelError("it gives no answer")
        return values

    def _put(self, question: Any) -> None:
        if (stream := self._process.stdin) is None:
            raise ModelError("it cannot be asked")
        with suppress(BrokenPipeError):  # the answer tells how the process has ended
            pickle.dump(question, stream, protocol=5)
            stream.flush()

    def _answer(self) -> tuple[dict[str, Any], NDArray[Any] | None]:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            _kill(self._process)

        clock = threading.Timer(self._seconds, give_up)
        clock.start()
        try:
            header, values = receive(self._answers, _MOST_BYTES)
        except EOFError:
            raise ModelError(self._late() if late.is_set() else self._ending()) from None
        except ForgedAnswerError as error:
            raise ModelError(f"its answer cannot be read: {error}") from error
        finally:
            clock.cancel()
        if problem := header.get("unconfined") or header.get("error"):
            # The model's own code may have sent it.
            raise ModelError(printable(str(problem)[:_LONGEST_ERROR]))
        return header, values

    def _late(self) -> str:
        return f"it has not answered within {self._seconds:.0f} s"

    def _ending(self) -> str:
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its process has ended ({how}) instead of answering"


@contextmanager
def isolated(seconds: float = LONGEST_SECONDS) -> Iterator[IsolatedModel]:
    """Start a confined process for a model, which lives as long as the block.

    Args:
        seconds: How long the model may take to load, and for each answer.
    """
    with _root() as root, _pipe() as (reading, writing):
        folder, scratch = root / "model", root / "scratch"
        folder.mkdir()
        scratch.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, str(folder), str(scratch), str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(str(scratch)),
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        try:
            yield IsolatedModel(process, reading, folder, seconds)
        finally:
            _kill(process)
            process.wait()
            if process.stdin is not None:
                with suppress(BrokenPipeError):  # what it has not read is of no use
                    process.stdin.close()


def _forget_server(folder: Path) -> None:
    """Remove the model's id from its description: with it MLflow asks a server, which is out of reach."""
    description = folder / "MLmodel"
    if description.is_file():
        lines = description.read_text(encoding="utf-8").splitlines(keepends=True)
        description.write_text("".join(line for line in lines if not line.startswith("model_id:")), "utf-8")


@contextmanager
def _root() -> Iterator[Path]:
    """Yield a folder, and remove it as far as possible: the model may have put anything into it."""
    root = tempfile.mkdtemp(prefix="model-")
    try:
        yield Path(root)
    finally:
        with suppress(RecursionError):  # of folders below folders; the rest goes with the pod
            shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, int]]:
    """Yield the end of a pipe to read from, and the descriptor of the other one, which the caller closes."""
    end, writing = os.pipe()
    with os.fdopen(end, "rb") as reading:
        yield reading, writing


def _environment(scratch: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    own = {
        "HOME": scratch,
        "TMPDIR": scratch,
        "LOGNAME": "model",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(_libraries()),
        "MLFLOW_TRACKING_URI": f"file:{scratch}",
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    return kept | QUIET | own


def _libraries() -> list[str]:
    """Return where modules are imported from, without the working directory, which may hold anything."""
    here = Path.cwd()
    return [entry for entry in sys.path if entry and Path(entry) != here]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and those that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
