"""Prevents Arrow from importing pandas, which a check does not need: a third of a second and 40 MB."""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pyarrow as pa


class _NoPandas:
    """An import finder that hides pandas."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Raise ImportError for pandas; leave all other modules to the other finders."""
        del path, target
        if name == "pandas":
            raise ImportError(name)


def spare_pandas() -> None:
    """Make Arrow search for pandas now and fail.

    Arrow searches once, when it first converts a Python value, to recognise values of pandas. A later
    conversion of a table to a data frame still imports pandas. Does nothing if pandas has already been
    imported, since other code then needs it.
    """
    if "pandas" in sys.modules:
        return
    hidden = _NoPandas()
    sys.meta_path.insert(0, hidden)
    try:
        pa.scalar(0)
    finally:
        sys.meta_path.remove(hidden)
