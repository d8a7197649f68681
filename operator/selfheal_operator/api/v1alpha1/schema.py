"""What the types of the API share: bounded texts, CEL rules, and the kinds of lists."""

from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta

from selfheal_operator.api.model import ApiModel

Time = Annotated[datetime, Meta(tz=True, extra_json_schema={"maxLength": 64})]
"""Bounded too: the format allows as many digits of a second as one likes."""

# The API server refuses CEL rules whose worst case is too expensive, and reckons it from these bounds.
Text = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=253)]
Share = Annotated[str, Meta(max_length=16, pattern=r"^(0(\.[0-9]+)?|1(\.0+)?)$")]
"""A decimal from 0 to 1, as text like every other one."""

ReasonWord = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
]
"""One word for programs, spelt as Kubernetes wants the reason of a condition."""
ColumnName = Annotated[str, Meta(max_length=256)]
Word = Annotated[str, Meta(max_length=64)]
"""A name or id that is not the user's own, such as that of a method or of a metric."""
Decimal = Annotated[str, Meta(max_length=32)]
"""A number as text: a number would differ in its last digit from write to write."""

LabelValue = Annotated[str, Meta(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]
"""The value of a label, as Kubernetes has it."""

CREDENTIALS: Final = "^[a-zA-Z0-9+.-]+://([^/?#]*@|[^/?#@[]*:([0-9]*[^0-9/?#@]|[/?#]|[0-9]{6})[^@]*@)"
"""An address with a user name or password, also one with an unescaped / ? or # in the password.

These end the authority. What is before them has then a port that is none, and an @ follows somewhere.
"""

_AMOUNT = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
Quantity = Annotated[int, Meta(ge=0)] | Annotated[str, Meta(max_length=32, pattern=_AMOUNT)]
"""An amount as Kubernetes writes it, such as 500m or 2Gi; not below zero."""

_Quantities = Annotated[dict[str, Quantity], Meta(max_length=16)]


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


def exactly_one(*fields: str) -> str:
    """Return the CEL expression that is true where one of the fields is there, and no other."""
    return " + ".join(f"(has(self.{field}) ? 1 : 0)" for field in fields) + " == 1"


def keys_of(field: str, holds: str) -> str:
    """Return the CEL expression that is true where `holds` is true of each `key` of an optional map.

    A schema bounds the values of a map and their number; its keys only CEL can see.
    """
    return f"!has(self.{field}) || self.{field}.all(key, {holds})"


ATOMIC = {"x-kubernetes-list-type": "atomic"}


class SecretRef(ApiModel, frozen=True, kw_only=True):
    """A Secret in the monitor's namespace."""

    name: Name
    """name of the Secret."""


class Resources(ApiModel, frozen=True, kw_only=True):
    """Compute resources, as in a pod."""

    schema = cel_rules(
        *(
            cel_rule(
                keys_of(field, "key.size() <= 317"),
                f"a name in {field} must be at most 317 characters",
                field=field,
            )
            for field in ("requests", "limits")
        )
    )

    requests: _Quantities | None = None
    """requests is what the scheduler reserves."""

    limits: _Quantities | None = None
    """limits is what the container may use at most."""
