"""What the files of the repository promise one another."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from selfheal_operator.config import PREFIX, Settings, variable_of

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "manifests" / "base"


@pytest.mark.parametrize("folder", ["operator", "jobs", "dev", "tests", "bench"])
def test_a_source_root_is_no_package(folder: str) -> None:
    """As a package, operator/ would shadow the standard library's module of that name."""
    assert (ROOT / folder).is_dir()
    assert not (ROOT / folder / "__init__.py").exists()


def documented_settings() -> dict[str, str]:
    """Return each variable of the table in docs/install.md with its default as written there."""
    rows = re.findall(
        r"^\| `((?:SELFHEAL|POD)_\w+)` \| `?([^`|]+?)`? \|",
        (ROOT / "docs/install.md").read_text(),
        re.MULTILINE,
    )
    return dict(rows)


def _written(default: object) -> str:
    if default in (None, ()):
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_the_installation_guide_lists_every_setting_with_its_default() -> None:
    """A setting that is added, dropped or changed has to be written down."""
    defaults = {variable_of(field.name): field.default for field in msgspec.structs.fields(Settings)}
    expected = {name: _written(default) for name, default in defaults.items()}
    assert documented_settings() == expected


def test_the_manifests_set_only_what_the_operator_reads() -> None:
    """A misspelt variable would be passed over in silence."""
    lines = [line for line in (BASE / "settings.env").read_text().splitlines() if not line.startswith("#")]
    settings = dict(line.split("=", 1) for line in lines)
    assert settings.keys() <= {PREFIX + name.upper() for name in Settings.__struct_fields__}
    assert Settings.from_environment(settings) == Settings()


def test_the_probes_ask_the_port_that_the_operator_serves() -> None:
    """The port stands in two files."""
    deployment = yaml.safe_load((BASE / "deployment.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "health": Settings().health_port
    }
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "health"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
