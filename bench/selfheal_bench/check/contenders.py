"""The other tools: their versions, what they run, and what they omit compared to our check."""

import json
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from selfheal_bench.check.entrant import UnfitRunError, surroundings
from selfheal_bench.check.tables import Tables

PROGRAMS: Final = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A tool and the program that runs it."""

    name: str
    title: str
    program: str
    """Its file in the folder of programs."""
    packages: tuple[str, ...] = ()
    """What is installed for it, the tool itself first; none if the project's own environment has it."""
    locked: str = ""
    """The package of the project's environment whose version is reported."""
    remark: str

    @property
    def version(self) -> str:
        """Return the version of the tool."""
        return self.packages[0].partition("==")[2] if self.packages else version(self.locked)


MAIN: Final = "evidently"
"""The tool to which the targets are relative."""

FLOOR: Final = "floor"
"""Not a tool, but the minimum work of any check."""

CONTENDERS: Final = {
    each.name: each
    for each in (
        Contender(
            name=FLOOR,
            title="the floor: imports, columns read",
            program="read_columns.py",
            locked="pyarrow",
            remark="numpy and pyarrow imported, every column of both files read; nothing is tested or told",
        ),
        Contender(
            name=MAIN,
            title="Evidently, DataDriftPreset and HTML",
            program="evidently_html.py",
            locked="evidently",
            remark="makes its report each time, as its documentation shows; a check of ours does so on drift",
        ),
        Contender(
            name="evidently-count",
            title="Evidently, DriftedColumnsCount only",
            program="evidently_count.py",
            locked="evidently",
            remark="the same tests and the same verdict on the table, without plots or a report",
        ),
        Contender(
            name="pandas-scipy",
            title="pandas and scipy by hand",
            program="pandas_scipy.py",
            locked="scipy",
            remark="Evidently's default tests, no report; takes data as clean as this for granted",
        ),
        Contender(
            name="nannyml",
            title="NannyML, univariate drift",
            program="nannyml_univariate.py",
            packages=(
                "nannyml==0.13.1",
                "statsmodels==0.15.0",  # imported by the package but not declared
                "numpy==2.4.6",
                "pandas==3.0.6",
                "pyarrow==25.0.1",
                "scipy==1.17.1",
            ),
            remark="Kolmogorov-Smirnov and chi-squared, no plots; alerts by chunk and column, not by table",
        ),
        Contender(
            name="alibi-detect",
            title="alibi-detect, TabularDrift",
            program="alibi_detect_tabular.py",
            packages=(
                "alibi-detect==0.13.0",
                "numpy==1.26.4",
                "pandas==2.3.3",
                "pyarrow==21.0.0",  # the last before NumPy 2 was needed
                "scipy==1.17.1",
            ),
            remark="Kolmogorov-Smirnov and chi-squared, by column; words are made numbers for it",
        ),
        Contender(
            name="frouros",
            title="frouros, KSTest and ChiSquareTest",
            program="frouros_columns.py",
            packages=(
                "frouros==0.9.0",
                "numpy==2.1.3",
                "pandas==2.3.3",
                "pyarrow==25.0.1",
                "scipy==1.14.1",
            ),
            remark="a p-value for each column, no verdict on the table, no report",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A contender that can be run."""

    contender: Contender
    python: Path
    """Of the environment that holds it."""
    output: Path
    """Where it may write a report."""

    @property
    def name(self) -> str:
        """Return the contender's name."""
        return self.contender.name

    def command(self, tables: Tables) -> list[str]:
        """Return what is run. With -P no program stands in the way of a package of its name."""
        program = PROGRAMS / self.contender.program
        paths = (self.python, "-P", program, tables.reference, tables.current, self.output)
        return [str(path) for path in paths]

    def environment(self, tables: Tables) -> dict[str, str]:
        """Return the environment of its process."""
        del tables
        return surroundings() | {"NML_DISABLE_USAGE_LOGGING": "1", "MPLBACKEND": "Agg"}

    def verify(self, tables: Tables, printed: str) -> int:
        """Return how many columns have drifted by its tests.

        Raises:
            UnfitRunError: It has not compared all columns.
        """
        said = json.loads((printed.splitlines() or ["{}"])[-1])
        if said.get("columns") != tables.size.columns:
            raise UnfitRunError(f"it compared {said.get('columns')} of {tables.size.columns} columns")
        return int(said["drifted"])


def own_python() -> Path:
    """Return the Python of the project's environment."""
    return Path(sys.executable)
