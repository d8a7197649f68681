"""The values of all Secrets that the pod has, for masking: in variables of any name, and in mounted files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from selfheal_operator.api.names import SERVICE_ACCOUNT_FOLDER
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.pods import PodTemplate

_MOST_FILES: Final = 200
_MOST_BYTES: Final = 1 << 20
"""The size of a Secret, by Kubernetes' limit."""


def secrets_of(
    request: RunRequest, environment: Mapping[str, str], account: str = SERVICE_ACCOUNT_FOLDER
) -> Iterator[str]:
    """Yield the values; variables that have the prefix of a source or of MLflow are known without it.

    Args:
        request: The spec says which variables and volumes are of Secrets.
        environment: The variables.
        account: The folder of the ServiceAccount's token.
    """
    template = request.spec.pod_template_of(request.purpose)
    for variable in template.env or ():
        if variable.value_from and variable.value_from.secret_key_ref and variable.name in environment:
            yield environment[variable.name]
    for path in [Path(account, "token"), *_files(_mounts(template))]:
        if (text := _text(path)) is not None:
            yield text


def _mounts(template: PodTemplate) -> Iterator[str]:
    """Yield where Secrets are mounted, and what CSI drivers provide: most of these are secret stores."""
    secret = {each.name for each in template.volumes or () if each.secret or each.csi}
    return (mount.mount_path for mount in template.volume_mounts or () if mount.name in secret)


def _files(folders: Iterator[str]) -> list[Path]:
    """Return the files of mounted volumes; a subPath is mounted as a single file."""
    found: list[Path] = []
    for folder in folders:
        if Path(folder).is_file():
            found.append(Path(folder))
        for place, _, names in os.walk(folder):
            found += [Path(place, name) for name in names]
            if len(found) >= _MOST_FILES:
                return found[:_MOST_FILES]
    return found


def _text(path: Path) -> str | None:
    """Return the text of a file; None for a larger one, one that is not text, and one that cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
