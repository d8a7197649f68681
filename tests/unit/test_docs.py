"""The docs keep up with the code: every word of the API is explained, and what they point to is there."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest
import yaml

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.reasons import CheckResult, ConditionType, Reason, RetrainResult
from selfheal_operator.api.report import CheckReport, PromoteReport, RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.reference import reference
from testbed.permissions.documented import ROLES, rights, with_rights

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
DOCS: Final = ROOT / "docs"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
PAGES: Final = (
    README,
    CONTRIBUTING,
    ROOT / "CHANGELOG.md",
    ROOT / "bench" / "README.md",
    *sorted(DOCS.glob("*.md")),
)
SOURCES: Final = (ROOT, ROOT / "operator" / "selfheal_operator", ROOT / "jobs" / "selfheal_jobs")


@pytest.mark.parametrize("word", [*Reason, *CheckResult, *RetrainResult, *ConditionType], ids=str)
def test_every_word_of_the_status_is_explained(word: StrEnum) -> None:
    """A reason, a result or a condition that a user may meet is in docs/modelmonitor.md."""
    assert re.search(rf"\b{word}\b", (DOCS / "modelmonitor.md").read_text())


def test_the_reference_is_fresh() -> None:
    """docs/reference.md is what `make manifests` makes of the API models now."""
    assert (DOCS / "reference.md").read_text() == reference()


def test_the_table_of_rights_is_fresh() -> None:
    """docs/security.md shows the rights that the roles of manifests/ give now."""
    page = (DOCS / "security.md").read_text()
    assert rights() in page
    assert with_rights(page) == page


def test_every_role_of_the_manifests_is_in_the_table_of_rights() -> None:
    """A new one must be said whose it is."""
    documents = [
        each
        for folder in ("base", "metrics_authorization")
        for path in (DOCS.parent / "manifests" / folder).glob("*_role*.yaml")
        for each in yaml.safe_load_all(path.read_text())
    ]
    roles = sorted(each["metadata"]["name"] for each in documents if "rules" in each)
    assert roles == sorted(name for *_, name in ROLES)


def test_the_example_shows_every_field_of_the_spec() -> None:
    """The long example of docs/modelmonitor.md leaves no field of the spec out."""
    example = (DOCS / "modelmonitor.md").read_text()
    paths = re.findall(r"^\| `(spec\.\S+)`", reference(), flags=re.MULTILINE)
    fields = {path: path.rpartition(".")[2].removesuffix("[]") for path in paths if not IN_A_POD.search(path)}

    assert fields
    assert [path for path, name in fields.items() if f"{name}:" not in example] == []


IN_A_POD: Final = re.compile(r"odTemplate\.(env\[\]\.valueFrom|(volumes|volumeMounts|tolerations)\[\])\.")
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_of_the_repository_that_is_named_is_there(page: Path) -> None:
    """A path that begins with a folder of the repository leads to a file of it."""
    named = re.findall(
        r"`((?:bench|crds|dev|docs|jobs|manifests|operator|tests)/[\w./-]+)`", page.read_text()
    )

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_guide_for_contributors_names_files_that_are_there() -> None:
    """The path through the code, and the files to touch for a change, are those that one finds."""
    named = re.findall(r"`((?:[a-z0-9_]+/)*[a-z0-9_]+(?:\.py|\.md|/))`", CONTRIBUTING.read_text())
    absent = [name for name in named if not any((source / name).exists() for source in SOURCES)]

    assert "core/triggers.py" in named
    assert absent == []


def test_the_guide_for_contributors_quotes_the_code_as_it_is() -> None:
    """An example of the style that the code has left behind would teach the wrong one."""
    quotes = re.findall(
        r"from `(\S+\.py)`:\n\n```python\n(.+?)```", CONTRIBUTING.read_text(), flags=re.DOTALL
    )
    invented = [name for name, quote in quotes if not any(quote in code for code in _codes(name))]

    assert quotes
    assert invented == []


def _codes(name: str) -> list[str]:
    return [(source / name).read_text() for source in SOURCES if (source / name).exists()]


@pytest.mark.parametrize(
    ("number", "model"),
    [(0, RunRequest), (1, CheckReport), (2, RetrainReport), (3, PromoteReport)],
    ids=str,
)
def test_the_contract_of_an_image_is_shown_as_it_is(number: int, model: type[ApiModel]) -> None:
    """The documents in docs/own-image.md can be read, and have no field that the code does not know."""
    blocks = re.findall(r"```json\n(.+?)```", (DOCS / "own-image.md").read_text(), flags=re.DOTALL)
    document = json.loads(blocks[number])

    assert model.from_wire(document).to_wire() == document
