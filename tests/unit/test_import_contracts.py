"""What the import contracts of pyproject.toml are about."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PURE: Final = "What says that it is pure does no I/O and reads no clock"


def test_whatever_says_that_it_is_pure_is_held_to_it() -> None:
    """The word in a module's docstring is a promise: the module is in the contract, or the word goes."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (held,) = (each["source_modules"] for each in contracts if each["name"] == PURE)

    assert sorted(says_that_it_is_pure()) == sorted(held)


def says_that_it_is_pure() -> list[str]:
    """Return the modules whose docstring has the word; the operator's core has a contract of its own."""
    return [
        ".".join(path.relative_to(source).with_suffix("").parts)
        for source in (ROOT / "jobs", ROOT / "dev", ROOT / "bench")
        for path in source.rglob("*.py")
        if re.search(r"\b[Pp]ure\b", ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
