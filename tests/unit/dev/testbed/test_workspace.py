"""One demo at a time, in a folder of its own."""

from pathlib import Path

import pytest

from testbed.errors import SetupError
from testbed.workspace import Workspace


def test_a_second_demo_is_refused_until_the_first_one_ends(tmp_path: Path) -> None:
    """The refusal says where the other one is; afterwards the folder is free again."""
    folder = Workspace(tmp_path / "demo")
    with folder.locked(), pytest.raises(SetupError, match=str(folder.root)), folder.locked():
        pass
    with folder.locked():
        pass


def test_a_new_demo_begins_with_an_empty_folder(tmp_path: Path) -> None:
    """What an earlier one left is gone; records of its programs were found before."""
    folder = Workspace(tmp_path / "demo")
    with folder.locked():
        folder.create()
        folder.record("operator").touch()
        assert folder.records() == [folder.record("operator")]

        folder.create()

        assert folder.records() == []
