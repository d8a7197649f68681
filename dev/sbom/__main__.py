"""`python -m sbom jobs --output FILE`: writes what is in the image of the jobs, or of the operator."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from sbom.image_contents import Document, of_image, pins
from testbed.workspace import REPOSITORY

IMAGES: Final = ("operator", "jobs")


def main() -> None:
    """Write the document, or the packages alone."""
    parser = argparse.ArgumentParser(prog="sbom", description=__doc__)
    parser.add_argument("image", choices=IMAGES)
    parser.add_argument("--boosting", action="store_true", help="with BOOSTING=1: LightGBM too")
    parser.add_argument("--pins", action="store_true", help="name==version lines instead of CycloneDX")
    parser.add_argument("--output", type=Path, default=Path("/dev/stdout"), metavar="FILE")
    asked = parser.parse_args()
    document = of_image(
        exported(asked.image, *(["boosting"] if asked.boosting else [])), f"selfheal-{asked.image}"
    )
    text = "\n".join(pins(document)) if asked.pins else json.dumps(document, indent=2)
    asked.output.write_text(text + "\n")


def exported(*extras: str) -> Document:
    """Return what uv says of the lock file, with the extras that the Dockerfile installs."""
    uv = Path(sys.executable).with_name("uv")
    chosen = [option for extra in extras for option in ("--extra", extra)]
    command = [str(uv), "export", "--quiet", "--frozen", "--no-dev", "--format", "cyclonedx1.5", *chosen]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    document: Document = json.loads(printed)
    return document


if __name__ == "__main__":
    main()
