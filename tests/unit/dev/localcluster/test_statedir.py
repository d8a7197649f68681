"""A state directory is ours, or left alone."""

from pathlib import Path

import pytest

from localcluster.errors import NotAClusterError
from localcluster.statedir import StateDir


def test_folder_with_other_contents_is_refused(tmp_path: Path) -> None:
    """A folder that holds something else is neither used nor removed."""
    (tmp_path / "thesis.txt").touch()
    state = StateDir(tmp_path)

    with pytest.raises(NotAClusterError, match="choose another --state"):
        state.create()
    state.remove()

    assert (tmp_path / "thesis.txt").exists()


def test_created_folder_is_private_and_removable(tmp_path: Path) -> None:
    """What is created is for the owner's eyes, is recognised later, and goes completely."""
    state = StateDir(tmp_path / "state")
    state.create()
    assert state.exists
    assert state.root.stat().st_mode & 0o077 == 0

    state.remove()

    assert list(tmp_path.iterdir()) == []


def test_lock_survives_removal(tmp_path: Path) -> None:
    """After one holder removed the folder, the next holder has one again."""
    state = StateDir(tmp_path / "state")
    with state.locked():
        state.create()
        state.remove()
    with state.locked():
        assert state.root.exists()
