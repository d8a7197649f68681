"""The shell commands of the pages that people read, as a reader would type them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
NAMES: Final = ("README.md", "CONTRIBUTING.md", "bench/README.md")
PAGES: Final = (*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").glob("*.md")))

PROGRAMS: Final = (
    "curl",
    "docker",
    "git",
    "helm",
    "kind",
    "kubectl",
    "make",
    "mlflow",
    "pip",
    "podman",
    "python",
)
"""An inline code span that begins with one of these, and goes on, is a command."""

NO_COMMANDS: Final = {"json", "promql", "python", "text", "yaml"}
"""Languages of blocks that hold no command."""


@dataclass(frozen=True)
class Script:
    """Commands that a reader types one after the other, into one shell."""

    page: str
    section: str
    line: int
    commands: tuple[str, ...]
    output: str = ""
    """What the page shows as printed, if it shows it."""

    def __str__(self) -> str:
        """Name it for a test report."""
        return f"{self.page}:{self.line} {self.commands[0][:50]}"


def scripts(page: Path) -> list[Script]:
    """Return every fenced `sh` and `console` block of a page, and every inline command.

    Raises:
        ValueError: for a fenced block in a language that may hold commands that nobody would find.
    """
    return list(_scripts(str(page.relative_to(ROOT)), page.read_text()))


def _scripts(page: str, text: str) -> Iterator[Script]:
    section, block, language, began = "", [""], "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if fence := re.match(r"\s*```(\w*)$", line):
            if language:
                yield from _of_block(language, Script(page, section, began, tuple(block)))
                language = ""
            else:
                language, block, began = _known(fence[1], page, number), [], number
        elif language:
            block.append(line)
        else:
            if heading := re.match(r"#+ (.+)", line):
                section = heading[1]
            yield from (Script(page, section, number, (found,)) for found in _inline(line, section))


def _known(language: str, page: str, number: int) -> str:
    if language not in {"sh", "console", *NO_COMMANDS}:
        raise ValueError(f"{page}:{number}: name the block's language: sh, console, or one without commands")
    return language


def _of_block(language: str, block: Script) -> Iterator[Script]:
    if language == "sh":
        whole = "\n".join(block.commands).replace("\\\n", "")
        lines = (line for line in whole.splitlines() if line.strip() and not line.startswith("#"))
        yield Script(block.page, block.section, block.line, tuple(lines))
    elif language == "console":
        for typed in re.split(r"^\$ ", "\n".join(block.commands), flags=re.MULTILINE)[1:]:
            command, _, output = typed.partition("\n")
            yield Script(block.page, block.section, block.line, (command,), output.strip())


def _inline(line: str, section: str) -> Iterator[str]:
    """Find commands, and `NAME=value` in the section of a `make` target, which is one of its variables."""
    for span in re.findall(r"`([^`]+)`", line):
        if span.split()[0] in PROGRAMS and " " in span:
            yield span
        elif section.startswith("`make ") and re.match(r"[A-Z]+=", span):
            yield f"{section.strip('`')} {span}"
