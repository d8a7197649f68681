"""Every case of `cases` is tested in this folder."""

from pathlib import Path

from integration.faults.cases import CASES


def test_every_case_is_named_by_a_test() -> None:
    """A case that no test names would be forgotten."""
    texts = [
        path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_cases.py"
    ]
    untested = [name for name in CASES if not any(f'"{name}"' in text for text in texts)]
    assert not untested
