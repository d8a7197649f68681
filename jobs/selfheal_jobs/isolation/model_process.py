"""The process that loads a model and asks it: `python -m selfheal_jobs.isolation.model_process`.

Its arguments are the folder that will hold the model, a folder to write to, and a descriptor for answers. It
confines itself first. Questions come by standard input, from the process that has started it.
"""

import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from selfheal_jobs.isolation.answers_wire import send
from selfheal_jobs.isolation.confinement import UnconfinedError, confine
from selfheal_jobs.redaction import one_line

_SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/bin", "/opt/selfheal"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self", "/proc/sys/vm/overcommit_memory"),
    *("/sys/devices/system/cpu", "/sys/fs/cgroup", "/dev/urandom", "/dev/random", "/dev/zero"),
)
"""Programs, libraries and facts of the machine; no one's data."""

_LIBRARIES: Final = ("mlflow.pyfunc", "mlflow.sklearn", "sklearn.compose", "sklearn.ensemble")
"""Imported before there is a model: this takes seconds, in which the other process logs or fetches it."""

_LONGEST_ERROR: Final = 300

LOAD: Final = "load"
"""The first question: the folder holds the model now."""

SERVE: Final = "serve"
"""The same, of a model that is asked as MLflow's server asks it."""


def main() -> None:
    """Confine this process, load the model, and answer until the questions end."""
    folder, scratch, answers = Path(sys.argv[1]), Path(sys.argv[2]), os.fdopen(int(sys.argv[3]), "wb")
    try:
        confine(_readable(folder), [scratch, Path("/dev/null")])
    except UnconfinedError as error:
        send(answers, {"unconfined": str(error)})
        return
    os.chdir(scratch)
    warnings.simplefilter("ignore")
    for name in _LIBRARIES:
        import_module(name)

    first = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that has started this one
    if first not in (LOAD, SERVE):
        return
    model = _answered(answers, lambda: _Model(folder, as_served=first == SERVE))
    if model is not None:
        send(answers, {"names": model.names, "methods": model.methods}, model.classes)
        _answer_all(model, sys.stdin.buffer, answers)


def _readable(folder: Path) -> list[Path]:
    libraries = [Path(entry) for entry in sys.path]
    return [folder, *map(Path, _SYSTEM), Path(sys.prefix), Path(sys.base_prefix), *libraries]


def _answer_all(model: "_Model", questions: BinaryIO, answers: BinaryIO) -> None:
    while True:
        try:
            method, rows = pickle.load(questions)  # noqa: S301 - from the process that has started this one
        except EOFError:
            return
        found = _answered(answers, lambda: model.ask(method, rows))  # noqa: B023 - called at once
        if found is not None:
            send(answers, {}, found)


def _answered(answers: BinaryIO, ask: Callable[[], Any]) -> Any:
    """Return what is asked for; None after an error, which is sent."""
    try:
        return ask()
    except BaseException as error:  # noqa: BLE001 - a model may raise anything, SystemExit too
        send(answers, {"error": one_line(error, _LONGEST_ERROR)})
        return None


class _Model:
    """A model as its flavor loads it: only scikit-learn's offers probabilities, and not as it is served."""

    def __init__(self, folder: Path, *, as_served: bool) -> None:
        import mlflow  # noqa: PLC0415 - after this process is confined
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - as above

        info = mlflow.models.get_model_info(str(folder))
        inputs = _named_inputs(info.signature)
        self._types = {} if as_served else _types(inputs)
        self.names = None if inputs is None else list(inputs.input_names())
        if "sklearn" in info.flavors and not as_served:
            self._model = mlflow.sklearn.load_model(str(folder))
            self._fitted_on = [] if self.names else list(getattr(self._model, "feature_names_in_", ()))
        else:
            self._model, self.names, self._fitted_on = mlflow.pyfunc.load_model(str(folder)), None, []
        if as_served:
            threadpool_limits(1)  # a row needs no threads

    @property
    def methods(self) -> list[str]:
        """Return what can be asked."""
        names = ("predict", "predict_proba", "decision_function")
        return [name for name in names if hasattr(self._model, name)]

    @property
    def classes(self) -> Any:
        """Return the classes of a classifier of scikit-learn, else None."""
        return getattr(self._model, "classes_", None)

    def ask(self, method: str, rows: Any) -> Any:
        """Return the answers for rows, of which the model gets only the columns that it knows."""
        from selfheal_jobs.isolation import signature_types  # noqa: PLC0415 - after this process is confined

        for name in self.names or ():
            if name not in rows.columns:
                raise LookupError(_lacking(name))
        asked = signature_types.as_signed(self._known(rows), self._types)
        if codes := signature_types.numbers_for_text(asked, self._types):
            # An encoder that ignores unknown words would answer, and know none of the numbers.
            told = (signature_types.told(asked, name, "string in its signature") for name in codes)
            raise TypeError("; ".join(told))
        return self._explained(method, asked)

    def _known(self, rows: Any) -> Any:
        if self.names is not None:
            return rows[self.names]
        # A ColumnTransformer does not miss a column that it drops.
        fitted_on = [name for name in self._fitted_on if name in rows.columns]
        return rows[fitted_on] if fitted_on else rows

    def _explained(self, method: str, asked: Any) -> Any:
        """Return the answers; an error names the columns first that do not suit the model."""
        import numpy as np  # noqa: PLC0415 - after this process is confined

        try:
            return np.asarray(getattr(self._model, method)(asked))
        except Exception as error:
            if not (why := "; ".join(self._unsuited(asked))):
                raise
            raise ValueError(f"{why}: {one_line(error)}") from error

    def _unsuited(self, asked: Any) -> Iterator[str]:
        from selfheal_jobs.isolation import signature_types  # noqa: PLC0415 - after this process is confined

        yield from (_lacking(name) for name in self._fitted_on if name not in asked.columns)
        yield from signature_types.misfits(asked, self._types)
        for name in sorted(self._learnt_as_text()):
            if signature_types.holds_numbers(asked, name):
                yield signature_types.told(asked, name, "text in what it has learnt")

    def _learnt_as_text(self) -> set[str]:
        from selfheal_jobs.isolation.learnt_text import learnt_as_text  # noqa: PLC0415 - as above

        try:
            return learnt_as_text(self._model)
        except Exception:  # noqa: BLE001 - the attributes of an estimator of someone else may be anything
            return set()


def _named_inputs(signature: Any) -> Any:
    """Return the inputs of a signature; None if there is none, or if its inputs have no names."""
    inputs = signature.inputs if signature else None
    return inputs if inputs is not None and inputs.has_input_names() else None


def _types(inputs: Any) -> dict[str, str]:
    """Return the types of a signature's columns, as MLflow names them; of tensors and the like none."""
    from mlflow.types import DataType  # noqa: PLC0415 - after this process is confined

    if inputs is None:
        return {}
    named = zip(inputs.input_names(), inputs.input_types(), strict=True)
    return {name: type_.name for name, type_ in named if isinstance(type_, DataType)}


def _lacking(name: str) -> str:
    return f"it needs the column {name!r}, which the data lacks"


if __name__ == "__main__":
    main()
