"""What is in the images, and what their SBOMs say."""

import json
import re
from typing import Final

import pytest

from sbom.__main__ import exported
from sbom.image_contents import of_image, pins
from selfheal_operator.api.names import RELEASE
from testbed.kubectl import Kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_INSTALLED: Final = (
    "import json; from importlib.metadata import distributions; "
    "print(json.dumps([f'{each.name}=={each.version}' for each in distributions(path=[PATH])]))"
).replace("PATH", "next(each for each in __import__('sys').path if each.startswith('/opt/selfheal'))")


def installed(kubectl: Kubectl, deployment: str) -> set[str]:
    """Return the packages in a pod, but for ours."""
    found = json.loads(kubectl("exec", f"deployment/{deployment}", "--", "python", "-c", _INSTALLED))
    return {_normal(each) for each in found} - {f"selfheal=={RELEASE}"}


def described(image: str) -> set[str]:
    """Return the packages of the image's SBOM."""
    return {_normal(each) for each in pins(of_image(exported(image), image))}


def _normal(requirement: str) -> str:
    name, _, version = requirement.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def test_the_sbom_of_the_operator_is_what_its_pod_has(operator: Kubectl) -> None:
    """Neither more nor less, of the same versions."""
    assert installed(operator, "selfheal-operator") == described("operator")


def test_the_sbom_of_the_jobs_is_what_their_pods_have(team: Kubectl) -> None:
    """MLflow's pod runs the same image."""
    assert installed(team, "mlflow") == described("jobs")
