import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal_jobs.delivery.cluster_access import AccessError, of_kubeconfig


def document(server: str) -> dict[str, Any]:
    """Return a kubeconfig with a token."""
    return {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


@pytest.mark.parametrize("written", [json.dumps, yaml.safe_dump])
def test_a_kubeconfig_may_be_yaml_or_json(tmp_path: Path, written: Any) -> None:
    """JSON is YAML, but is read faster."""
    path = tmp_path / "config"
    path.write_text(written(document("https://10.0.0.1:6443")))

    access = of_kubeconfig(path)

    assert (access.url, access.token) == ("https://10.0.0.1:6443", "t")
    assert access.context is not None


def test_without_tls_nobody_has_to_be_trusted(tmp_path: Path) -> None:
    """The system's certificates take longer to read than the answer."""
    path = tmp_path / "config"
    path.write_text(json.dumps(document("http://127.0.0.1:8001")))

    assert of_kubeconfig(path).context is None


def test_a_file_that_is_neither_is_an_access_error(tmp_path: Path) -> None:
    """With what the parser says."""
    path = tmp_path / "config"
    path.write_text("clusters: [")

    with pytest.raises(AccessError, match="no YAML"):
        of_kubeconfig(path)
