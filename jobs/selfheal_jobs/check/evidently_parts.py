"""Imports the parts of Evidently that draw a page, and not the rest.

Importing any module of Evidently runs its packages' `__init__`, which import everything: its web server, its
language models, every metric and every test. This takes three quarters of five seconds. This module replaces
these packages by empty ones, in which Python still finds their modules.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_PACKAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "evidently": {},
    "evidently.presets": {},
    "evidently.metrics": {
        "ValueDrift": "evidently.metrics.column_statistics",
        "ColumnMetricGenerator": "evidently.metrics.group_by",
    },
    "evidently.legacy.metrics": {
        "DataDriftTable": "evidently.legacy.metrics.data_drift.data_drift_table",
        "DatasetDriftMetric": "evidently.legacy.metrics.data_drift.dataset_drift_metric",
    },
    "evidently.legacy.tests": {},
}
"""The replaced packages, and the modules that define the names which are imported from them."""


class _Package(ModuleType):
    """A package whose `__init__` is not run."""

    def __init__(self, name: str, folder: Path, homes: Mapping[str, str]) -> None:
        super().__init__(name)
        self.__path__ = [str(folder)]
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self._homes = homes

    def __getattr__(self, name: str) -> Any:
        if name in self._homes:
            return getattr(import_module(self._homes[name]), name)
        raise AttributeError(name)


@contextmanager
def only_the_parts_that_draw() -> Iterator[None]:
    """Replace the packages until the end of the block; later imports load the real ones.

    Does nothing if Evidently has already been imported.
    """
    found = None if "evidently" in sys.modules else find_spec("evidently")
    if found is None or found.origin is None:
        yield
        return
    root = Path(found.origin).parent
    packages = {
        name: _Package(name, root.joinpath(*name.split(".")[1:]), homes) for name, homes in _PACKAGES.items()
    }
    sys.modules.update(packages)
    try:
        yield
    finally:
        for name, package in packages.items():
            if sys.modules.get(name) is package:
                del sys.modules[name]
