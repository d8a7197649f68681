"""Secrets of a pod, in all the ways that a spec has for them."""

from pathlib import Path
from typing import Any

from selfheal_jobs.pod_secrets import secrets_of
from selfheal_operator.api.reasons import Purpose
from support.builders.run_requests import run_request


def template(folder: Path) -> dict[str, Any]:
    """Return a podTemplate with a variable and a volume of each kind."""
    secret, config = {"name": "s", "key": "k"}, {"name": "c", "key": "k"}
    return {
        "env": [
            {"name": "PLAIN", "value": "plain"},
            {"name": "OF_SECRET", "valueFrom": {"secretKeyRef": secret}},
            {"name": "MISSING", "valueFrom": {"secretKeyRef": secret | {"optional": True}}},
            {"name": "OF_CONFIG", "valueFrom": {"configMapKeyRef": config}},
        ],
        "volumes": [
            {"name": "secret", "secret": {"secretName": "s"}},
            {"name": "store", "csi": {"driver": "secrets-store.csi.k8s.io"}},
            {"name": "config", "configMap": {"name": "c"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
        ],
        "volumeMounts": [
            {"name": name, "mountPath": str(folder / name)} for name in ("secret", "store", "config", "data")
        ]
        + [{"name": "secret", "mountPath": str(folder / "one-file"), "subPath": "k"}],
    }


def test_every_secret_of_a_pod_is_known(tmp_path: Path) -> None:
    """In variables and in files, and the token of its ServiceAccount; data and configuration are none."""
    for name in ("secret", "store", "config", "data", "account"):
        (tmp_path / name / "..data").mkdir(parents=True)
        (tmp_path / name / "..data" / "token").write_text(f"in {name}")
        (tmp_path / name / "token").symlink_to("..data/token")
    (tmp_path / "secret" / "keystore").write_bytes(b"\xff\xfe")
    (tmp_path / "secret" / "large").write_bytes(b"x" * ((1 << 20) + 1))
    (tmp_path / "one-file").write_text("in one file")
    environment = {"PLAIN": "plain", "OF_SECRET": "of a secret", "OF_CONFIG": "of a config"}
    request = run_request(podTemplate=template(tmp_path))

    found = set(secrets_of(request, environment, str(tmp_path / "account")))

    assert found == {"of a secret", "in secret", "in store", "in one file", "in account"}


def test_a_retraining_has_a_pod_template_of_its_own(tmp_path: Path) -> None:
    """Its variables are other ones."""
    mine = {"env": [{"name": "MINE", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}
    request = run_request(Purpose.RETRAIN, podTemplate=template(tmp_path), retraining={"podTemplate": mine})

    found = set(secrets_of(request, {"MINE": "m1ne", "OF_SECRET": "of a secret"}, str(tmp_path)))

    assert found == {"m1ne"}
