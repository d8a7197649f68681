"""The digest of a model's files, which shows whether they are those that were recorded."""

import hashlib
from pathlib import Path
from typing import Final

_ABOUT_THE_VERSION: Final = "registered_model_meta"
"""MLflow writes this file beside those of a version that it fetches from the registry."""


def digest_of_files(folder: Path) -> str:
    """Return the SHA-256 of all files below a folder: of their paths, sizes and contents, as hex digits."""
    found = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        if name == _ABOUT_THE_VERSION:
            continue
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(f"{len(name)}:{name}:{content}\n".encode())
    return found.hexdigest()
