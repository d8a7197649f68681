"""The docs keep up with the code: every word of the API is explained, and what they point to is there."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.reasons import CheckResult, ConditionType, Reason, RetrainResult
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.reference import reference

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
DOCS: Final = ROOT / "docs"
PAGES: Final = (README, ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md")))
SOURCES: Final = (ROOT, ROOT / "operator" / "selfheal_operator", ROOT / "jobs" / "selfheal_jobs")


@pytest.mark.parametrize("word", [*Reason, *CheckResult, *RetrainResult, *ConditionType], ids=str)
def test_every_word_of_the_status_is_explained(word: StrEnum) -> None:
    """A reason, a result or a condition that a user may meet is in docs/modelmonitor.md."""
    assert re.search(rf"\b{word}\b", (DOCS / "modelmonitor.md").read_text())


def test_the_reference_is_fresh() -> None:
    """docs/reference.md is what `make manifests` makes of the API models now."""
    assert (DOCS / "reference.md").read_text() == reference()


def test_the_example_shows_every_field_of_the_spec() -> None:
    """The long example of docs/modelmonitor.md leaves no field of the spec out."""
    example = (DOCS / "modelmonitor.md").read_text()
    fields = re.findall(r"^\| `spec\.(?:\S+\.)?(\w+)(?:\[\])?`", reference(), flags=re.MULTILINE)

    assert fields
    assert [name for name in fields if f"{name}:" not in example and name not in NOT_SHOWN] == []


NOT_SHOWN: Final = {"valueFrom", "subPath"}
"""Known to everybody who has written a pod."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and an anchor a heading of it."""
    broken = [link for link in _links(page) if not _leads_somewhere(page, link)]

    assert broken == []


def _links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" not in link:
            yield link


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return False
    return not anchor or anchor in {_anchor(heading) for heading in _headings(target)}


def _headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_readme_names_files_that_are_there() -> None:
    """The path through the code, as the README tells it, is the path that one finds."""
    named = re.findall(r"`((?:[a-z0-9_]+/)*[a-z0-9_]+\.py)`", README.read_text())
    absent = [name for name in named if not any((source / name).exists() for source in SOURCES)]

    assert named
    assert absent == []


@pytest.mark.parametrize(
    ("number", "model"), [(0, RunRequest), (1, CheckReport), (2, RetrainReport)], ids=str
)
def test_the_contract_of_an_image_is_shown_as_it_is(number: int, model: type[ApiModel]) -> None:
    """The documents in docs/own-image.md can be read, and have no field that the code does not know."""
    blocks = re.findall(r"```json\n(.+?)```", (DOCS / "own-image.md").read_text(), flags=re.DOTALL)
    document = json.loads(blocks[number])

    assert model.from_wire(document).to_wire() == document
