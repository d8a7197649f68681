"""A page takes the parts of Evidently that draw it. In a process of its own: others have imported all."""

import json
import subprocess
import sys

_PROGRAM = """
import json, re, sys
import numpy as np
import pyarrow as pa
from selfheal_jobs.check.evidently_parts import only_the_parts_that_draw
from selfheal_jobs.columns.scan import TablePair, read_column
from selfheal_jobs.drift.compare import compare
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy
from selfheal_operator.api.v1alpha1.drift import Drift

columns = {"n": np.arange(200) / 7, "c": ["a", "b"] * 100}
sides = [ArrowTable(pa.table(columns)) for _ in range(2)]
pairs = [read_column(name, *sides, ColumnPolicy()) for name in columns]
comparison = compare(pairs, Drift(rule="Evidently"), 0.3, TablePair(*sides))

def drawn():
    from selfheal_jobs.check.evidently_report import page
    text = page(comparison, *sides, threshold=0.3, seed=1)
    return re.sub("[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", "", text)

with only_the_parts_that_draw():
    parts = drawn()
imported = [name for name in ("nltk", "litestar", "evidently.llm", "evidently.ui") if name in sys.modules]
from evidently import Report
from evidently.metrics import MeanValue
from evidently.tests import eq
whole = drawn()
print(json.dumps({"imported": imported, "same": parts == whole, "size": len(parts)}))
"""


def test_the_page_is_the_same_and_whoever_wants_all_of_evidently_gets_it() -> None:
    """No web server and no language model is imported for it; afterwards the packages are the real ones."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["imported"] == []
    assert told["same"]
    assert told["size"] > 1_000_000
