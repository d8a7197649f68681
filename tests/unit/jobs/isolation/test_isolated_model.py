"""A model in a confined process answers as usual, and its code reaches nothing."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]  # it has no types
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, Schema
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from selfheal_jobs.isolation.isolated_model import IsolatedModel, ModelError, isolated

# The process does not find this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

ROWS = pd.DataFrame({"x": np.linspace(0, 1, 50), "z": np.arange(50)})
WORDS = np.where(ROWS["x"] > 0.5, "yes", "no")


@contextlib.contextmanager
def _loaded(save: Callable[[Path], None], seconds: float = 120.0) -> Iterator[IsolatedModel]:
    with isolated(seconds) as model:
        save(model.folder)
        model.load()
        yield model


def _by_rule(rule: Callable[[Any], Any]) -> Callable[[Path], None]:
    class Model(PythonModel):
        def predict(self, context, model_input, params=None):  # a type hint would be read by MLflow
            return rule(model_input)

    return lambda folder: mlflow.pyfunc.save_model(folder, python_model=Model(), pip_requirements=[])


def test_a_model_of_scikit_learn_answers_as_in_this_process() -> None:
    """Predictions, probabilities and classes are equal, and other columns are left out."""
    fitted = LogisticRegression().fit(ROWS, WORDS)

    def save(folder: Path) -> None:
        signature = ModelSignature(Schema([ColSpec("double", "x"), ColSpec("long", "z")]))
        mlflow.sklearn.save_model(
            fitted, folder, signature=signature, pip_requirements=[], serialization_format="cloudpickle"
        )

    with _loaded(save) as model:
        asked = ROWS.assign(other="?")
        np.testing.assert_array_equal(model.predict(asked), fitted.predict(ROWS))
        np.testing.assert_array_equal(model.predict_proba(asked), fitted.predict_proba(ROWS))
        assert model.classes_.tolist() == ["no", "yes"]
        assert model.names == ("x", "z")
        with pytest.raises(ModelError, match="it needs the column 'z', which the data lacks"):
            model.predict(ROWS[["x"]])


def _reach(secret: str) -> Callable[[Any], Any]:
    def rule(_: Any) -> Any:
        parent = os.getppid()
        attempts: dict[str, Callable[[], Any]] = {
            "environment": lambda: os.environ["SELFHEAL_TEST_SECRET"],
            "first environment": lambda: Path("/proc/self/environ").read_text().index("SECRET"),
            "parent's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
            "parent's memory": lambda: Path(f"/proc/{parent}/mem").read_bytes(),
            "parent's files": lambda: list(Path(f"/proc/{parent}/fd").iterdir()),
            "a foreign file": lambda: Path(secret).read_text(),
            "a foreign folder": lambda: list(Path(secret).parent.iterdir()),
            "the root folder": lambda: list(Path("/").iterdir()),
            "accounts": lambda: Path("/etc/passwd").read_text(),
            "a token": lambda: list(Path("/var/run/secrets").iterdir()),
            "TCP": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
            "UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM),
            "a local socket": lambda: socket.socket(socket.AF_UNIX),
            "a signal": lambda: os.kill(parent, 0),
            "a program": lambda: subprocess.run(["/bin/cat", secret], check=True, capture_output=True),
            "writing": lambda: Path(secret).write_text("changed"),
            "writing beside the model": lambda: Path(secret).with_name("new").touch(),
            "its limits": lambda: resource.prlimit(parent, resource.RLIMIT_CORE, (0, 0)),
            "its priority": lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
            "everybody's priority": lambda: os.setpriority(os.PRIO_USER, 0, 19),
            "its processors": lambda: os.sched_setaffinity(parent, {0}),
            "its scheduler": lambda: os.sched_setscheduler(parent, os.SCHED_OTHER, os.sched_param(0)),
            "another process group": lambda: subprocess.run(["true"], check=True, start_new_session=True),
            "a trace": lambda: 1 / (1 + ctypes.CDLL(None).ptrace(16, parent, 0, 0)),
        }
        reached = []
        for name, attempt in attempts.items():
            try:
                attempt()
            except (OSError, KeyError, ValueError, ZeroDivisionError, subprocess.SubprocessError):
                continue
            reached.append(name)
        Path(tempfile.gettempdir(), "own").write_text("its own folder stays writable")
        return [",".join(reached)]

    return rule


def test_the_code_of_a_model_reaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads no secret, no foreign file and no other process, and opens no connection."""
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    monkeypatch.setenv("SELFHEAL_TEST_SECRET", "hunter2")

    with _loaded(_by_rule(_reach(str(secret)))) as model:
        assert model.predict(ROWS).tolist() == [""]
    assert secret.read_text() == "hunter2"


def test_code_that_runs_while_it_is_loaded_is_confined_too(tmp_path: Path) -> None:
    """A pickle's code runs at loading; it reads no foreign file."""
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")

    class Trap:
        def __reduce__(self) -> Any:
            return open, (str(secret),)

    def save(folder: Path) -> None:
        _by_rule(lambda _: [1])(folder)
        (folder / "python_model.pkl").write_bytes(cloudpickle.dumps(Trap()))

    with isolated(120.0) as model:
        save(model.folder)
        with pytest.raises(ModelError, match="PermissionError"):
            model.load()


def _exit(_: Any) -> Any:
    os._exit(3)


def _crash(_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def _leave(_: Any) -> Any:
    raise SystemExit("bye")


def _forge(_: Any) -> Any:
    # The pipe keeps the number that it has in the test's process, which may hold many files.
    for descriptor in range(3, os.sysconf("SC_OPEN_MAX")):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"\0\0\0\2{}")
    return [1]


def _wait(_: Any) -> Any:
    time.sleep(600)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (_exit, r"its process has ended \(exit code 3\) instead of answering"),
        (_crash, r"its process has ended \(SIGSEGV\) instead of answering"),
        (_leave, "SystemExit: bye"),
        (_forge, "its answer cannot be read: the header is not readable"),
    ],
)
def test_a_model_that_misbehaves_is_told(rule: Callable[[Any], Any], problem: str) -> None:
    """Its end, its signal or its forged answer becomes a sentence."""
    with _loaded(_by_rule(rule), seconds=60.0) as model, pytest.raises(ModelError, match=problem):
        model.predict(ROWS)


def _quote(rows: Any) -> Any:
    raise ValueError(f"refused: {rows.iloc[0].to_dict()}")


def test_an_error_that_quotes_a_row_does_not_tell_its_words() -> None:
    """Libraries quote the value that they refuse, and the error becomes a message of the status."""
    rows = pd.DataFrame({"x": [1.5], "mail": ["ada@example.org"]})

    with _loaded(_by_rule(_quote)) as model, pytest.raises(ModelError) as caught:
        model.predict(rows)

    assert str(caught.value) == "ValueError: refused: {'x': 1.5, 'mail': '***'}"


def _lie(_: Any) -> Any:
    header = b'{"bytes": 0, "values": false, "error": "red \\u001b[31m' + b"\\nx" * 10_000 + b'"}'
    for descriptor in range(3, os.sysconf("SC_OPEN_MAX")):
        with contextlib.suppress(OSError):
            os.write(descriptor, len(header).to_bytes(4, "big") + header)
    os._exit(0)


def test_an_error_that_a_model_forges_is_one_short_line() -> None:
    """It becomes a message of the status, and a line of the log."""
    with _loaded(_by_rule(_lie)) as model, pytest.raises(ModelError) as caught:
        model.predict(ROWS)

    assert str(caught.value).startswith("red ?[31m?x?x")
    assert len(str(caught.value)) == 300


def _dig(_: Any) -> Any:
    os.chdir(tempfile.gettempdir())
    for _level in range(5_000):
        Path("below").mkdir()
        os.chdir("below")
    return [1]


def test_whatever_a_model_leaves_in_its_folder_does_not_end_the_run() -> None:
    """Not even folders below folders, more than a recursion goes down."""
    with _loaded(_by_rule(_dig)) as model:
        answers = model.predict(ROWS)

    assert answers.tolist() == [1]


def test_a_model_that_never_answers_is_given_up() -> None:
    """After the limit its process is killed."""
    with _loaded(_by_rule(_wait)) as model:
        model._seconds = 0.2
        with pytest.raises(ModelError, match=r"it has not answered within 0 s"):
            model.predict(ROWS)


def _sums(types: dict[str, str]) -> Callable[[Path], None]:
    """Return a pyfunc model with a signature that adds its columns."""

    class Model(PythonModel):
        def predict(self, context, model_input, params=None):  # a type hint would be read by MLflow
            return model_input.sum(axis=1)

    signature = ModelSignature(Schema([ColSpec(type_, name) for name, type_ in types.items()]))

    def save(folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # about an input example, which it has none of
            mlflow.pyfunc.save_model(folder, python_model=Model(), pip_requirements=[], signature=signature)

    return save


def test_a_pyfunc_model_is_asked_with_the_types_of_its_signature() -> None:
    """As a server of MLflow parses rows: 64-bit integers for a double, and 64 bits for 32."""
    types = {"whole": "double", "short": "integer", "single": "float", "flag": "boolean", "count": "long"}
    rows = pd.DataFrame(
        {"whole": [7, 8], "short": [1, 2], "single": [0.5, 0.25], "flag": [0, 1], "count": [3.0, 4.0]}
    )

    with _loaded(_sums(types)) as model:
        assert model.predict(rows.assign(other="?")).tolist() == [11.5, 15.25]
        with pytest.raises(ModelError, match="column 'count' is float64 in the data and long in its sig"):
            model.predict(rows.assign(count=[3.5, 4.0]))


def _unsigned(fitted: Any) -> Callable[[Path], None]:
    return lambda folder: mlflow.sklearn.save_model(
        fitted, folder, pip_requirements=[], serialization_format="cloudpickle"
    )


def test_a_model_without_a_signature_is_asked_by_the_columns_that_it_was_fitted_on() -> None:
    """Scikit-learn remembers them; their order in the data, and other columns, do not matter."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, WORDS)

    with _loaded(_unsigned(fitted)) as model:
        assert model.names is None
        asked = ROWS.assign(other="?")[["other", "z", "x"]]
        np.testing.assert_array_equal(model.predict_proba(asked), fitted.predict_proba(ROWS))
        with pytest.raises(ModelError, match="it needs the column 'z', which the data lacks"):
            model.predict(ROWS[["x"]])


def _by_codes(encoder: Any) -> tuple[Any, pd.DataFrame]:
    """Return a model that has learnt codes as text, and rows that have them as numbers."""
    codes = pd.DataFrame({"plz": ["01067", "04109"] * 25, "spare": "", "z": np.arange(50)})
    prepared = make_column_transformer((encoder, ["plz"]), ("drop", ["spare"]), remainder="passthrough")
    fitted = make_pipeline(prepared, LogisticRegression()).fit(codes, WORDS)
    return fitted, codes.assign(plz=codes["plz"].astype(int))


def test_a_column_that_was_only_dropped_may_be_absent() -> None:
    """ColumnTransformer does not ask for it, although the model was fitted on it."""
    fitted, rows = _by_codes("passthrough")

    with _loaded(_unsigned(fitted)) as model:
        assert model.predict(rows.drop(columns="spare")).tolist() == fitted.predict(rows).tolist()


@pytest.mark.parametrize("is_signed", [True, False])
def test_codes_that_were_learnt_as_text_and_are_numbers_now_are_named(*, is_signed: bool) -> None:
    """A CSV file has no types; NumPy's error tells neither the column nor a remedy."""
    fitted, rows = _by_codes(OneHotEncoder(handle_unknown="ignore"))

    def save(folder: Path) -> None:
        signature = ModelSignature(Schema([ColSpec("string", "plz"), ColSpec("long", "z")]))
        mlflow.sklearn.save_model(
            fitted,
            folder,
            signature=signature if is_signed else None,
            pip_requirements=[],
            serialization_format="cloudpickle",
        )

    where = "string in its signature" if is_signed else "text in what it has learnt"
    with _loaded(save) as model, pytest.raises(ModelError) as caught:
        model.predict(rows)

    assert f"the column 'plz' is int64 in the data and {where}" in str(caught.value)
    assert "write the reference as Parquet, with the column as text" in str(caught.value)


class _Odd(BaseEstimator):  # type: ignore[misc]  # no stubs
    """Refers to itself, and raises an error where it is asked."""

    def __init__(self) -> None:
        self.owner = [self]

    def predict(self, rows: Any) -> Any:
        """Raise an error."""
        raise ValueError("it is out of order")


def test_an_error_is_told_as_it_is_where_the_parts_of_a_model_cannot_be_listed() -> None:
    """What is looked for after an error does not replace it."""
    with _loaded(_unsigned(_Odd())) as model, pytest.raises(ModelError) as caught:
        model.predict(ROWS)

    assert str(caught.value) == "ValueError: it is out of order"
