"""What the types of the API share: bounded texts, CEL rules, and the kinds of lists."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True)]

# The API server refuses CEL rules whose worst case is too expensive, and reckons it from these bounds.
Text = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=253)]
Share = Annotated[str, Meta(max_length=16, pattern=r"^(0(\.[0-9]+)?|1(\.0+)?)$")]
"""A decimal from 0 to 1, as text: a number would differ in its last digit from write to write."""


def cel_rule(rule: str, message: str, *, field: str = "") -> dict[str, str]:
    """Return a CEL rule of the object that holds `field`, the one that a complaint names.

    It could stand on the field itself, but there the API server repeats the value that it refuses, and
    some of these values hold passwords.
    """
    return {"rule": rule, "message": message} | ({"fieldPath": f".{field}"} if field else {})


def cel_rules(*rules: dict[str, str]) -> dict[str, Any]:
    """Return the part of a schema that holds CEL rules."""
    return {"x-kubernetes-validations": list(rules)}


def map_list(key: str) -> dict[str, Any]:
    """Return the part of a schema that makes a list one of objects told apart by a key."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


ATOMIC = {"x-kubernetes-list-type": "atomic"}
ANY_FIELDS: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
