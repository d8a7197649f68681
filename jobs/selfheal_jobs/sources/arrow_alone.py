"""Keeps Arrow from importing pandas: a third of a second and 40 MB, for a check that needs none of it."""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pyarrow as pa


class _NoPandas:
    """Says that there is no pandas."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Refuse pandas, and leave all else to the others."""
        del path, target
        if name == "pandas":
            raise ImportError(name)


def spare_pandas() -> None:
    """Have Arrow look for pandas now, and find none.

    Arrow looks once, when it first makes a value of its own of one of Python's, to see whether that is one
    of pandas'. Where a table becomes a frame later it imports pandas all the same. Nothing happens where
    pandas is there already: somebody needs it.
    """
    if "pandas" in sys.modules:
        return
    hidden = _NoPandas()
    sys.meta_path.insert(0, hidden)
    try:
        pa.scalar(0)
    finally:
        sys.meta_path.remove(hidden)
