"""The folder of a siege."""

import os
from pathlib import Path

import pytest

from siege.ground import MARK, clear


def test_what_a_model_has_left_is_removed_however_deep_it_is(tmp_path: Path) -> None:
    """Deeper than Python recurses, and longer than a path may be."""
    folder = tmp_path / "siege"
    folder.mkdir()
    (folder / MARK).touch()
    descend(folder, 2_100)

    clear(folder)

    assert list(folder.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """It may hold anything."""
    (tmp_path / "letter.txt").touch()

    with pytest.raises(SystemExit, match="choose another --folder"):
        clear(tmp_path)

    assert (tmp_path / "letter.txt").exists()


def descend(folder: Path, levels: int) -> None:
    """Make a folder in a folder so many times; no path can name the last one."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("f", dir_fd=here)
        below = os.open("f", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
