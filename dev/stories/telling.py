"""Prints what happens in a story, in lines that fit into a page."""

import textwrap

from selfheal_operator.api.v1alpha1.status import LastCheck, LastRetraining

WIDTH = 118


def check(found: LastCheck) -> None:
    """Print the verdict of a check."""
    said(f"check: {found.result}", found.message)


def retraining(found: LastRetraining, what: str = "retraining") -> None:
    """Print the outcome of a retraining, and its gates."""
    said(f"{what}: {found.result}, {found.reason}", found.message)
    for gate in found.gates:
        said(f"  {gate.name}: {'passed' if gate.passed else 'FAILED'}", gate.message)


def said(head: str, message: str) -> None:
    """Print a paragraph whose further lines are indented."""
    print(textwrap.fill(f"{head}: {message}", WIDTH, subsequent_indent="    ", break_on_hyphens=False))
