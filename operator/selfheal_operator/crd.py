"""Renders the CRD from the API models: `python -m selfheal_operator.crd > crds/...` (`make manifests`)."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from selfheal_operator.api.model import ApiModel, wire_name
from selfheal_operator.api.names import GROUP, KIND, PLURAL, SHORT_NAME, SINGULAR, VERSION
from selfheal_operator.api.v1alpha1.spec import ROOT_RULES, ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus

HEADER: Final = "# Generated from operator/selfheal_operator/api by `make manifests`. Do not edit.\n"

_KEPT: Final[tuple[str, ...]] = (
    *("type", "format", "description", "enum", "pattern", "required"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
)


TIME_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
)
"""A time as RFC 3339 has it.

Not `format: date-time`: of a text with a format, the API server takes a list of anything too. One that nests
10,000 levels deep is stored then, and from then on no list of any object of the resource can be read.
"""


def _column(name: str, path: str, kind: str = "string", *, wide: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "jsonPath": path} | ({"priority": 1} if wide else {})


PRINTER_COLUMNS: Final = [
    _column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
    _column("Model", ".status.model.version"),
    _column("Drift", ".status.lastCheck.driftShare"),
    _column("Result", ".status.lastCheck.result"),
    _column("Last Check", ".status.lastCheck.completionTime", "date"),
    _column("Retraining", ".status.conditions[?(@.type=='Retraining')].reason"),
    _column("Age", ".metadata.creationTimestamp", "date"),
    _column("Schedule", ".spec.schedule", wide=True),
    _column("Interval", ".spec.intervalSeconds", "integer", wide=True),
    _column("Suspend", ".spec.suspend", "boolean", wide=True),
    _column("Next Check", ".status.nextCheckTime", wide=True),
    _column("Message", ".status.conditions[?(@.type=='Ready')].message", wide=True),
]


def crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition of ModelMonitor."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": ["mlops"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": PRINTER_COLUMNS,
                    "schema": {"openAPIV3Schema": _root_schema()},
                }
            ],
        },
    }


def _root_schema() -> dict[str, Any]:
    return {
        "description": "A model that is watched for drift, and retrained when its data has moved.",
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _structural(ModelMonitorSpec),
            "status": _structural(ModelMonitorStatus),
        },
        **ROOT_RULES,
    }


def _structural(model: type[ApiModel]) -> dict[str, Any]:
    (reference,), definitions = msgspec.json.schema_components([model], ref_template="{name}")
    for part in parts(model):
        definition = definitions[part.__name__]
        definition |= {"description": inspect.getdoc(part), **part.schema}
        described, hints = field_descriptions(part), get_type_hints(part)
        for name in part.__struct_fields__:
            field = definition["properties"][wire_name(name)]
            field["description"] = described[name]
            if values := _values(hints[name]):
                field["enum"] = values
    return _convert(reference, definitions)


def parts(model: type[ApiModel]) -> Iterator[type[ApiModel]]:
    """Yield the model and all that it is made of."""
    yield model
    for hint in get_type_hints(model).values():
        for part in _models_in(hint):
            yield from parts(part)


def _models_in(hint: Any) -> Iterator[type[ApiModel]]:
    if isinstance(hint, type) and issubclass(hint, ApiModel):
        yield hint
    for inner in get_args(hint):
        yield from _models_in(inner)


def field_descriptions(model: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstrings under the fields, by the fields' names in Python. Only the source has them."""
    described: dict[str, str] = {}
    for each in reversed(model.__mro__[: model.__mro__.index(msgspec.Struct)]):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        for field, text in pairwise(getattr(definition, "body", [])):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    described[name] = inspect.cleandoc(said)
    return described


def _values(hint: Any) -> list[str]:
    """Return the values of a choice in the order in which they are written down; msgspec sorts them."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return [each.value for each in hint]
    inner = [part for part in get_args(hint) if part is not NoneType]
    if get_origin(hint) is Literal:
        return [str(value) for value in inner]
    is_optional = get_origin(hint) in (Union, UnionType) and len(inner) == 1
    return _values(inner[0]) if is_optional else []


def _convert(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Turn JSON Schema as msgspec writes it into a structural schema.

    References are put in place, optional fields lose their null, and defaults are left out: a default
    that the API server writes into spec is a difference that GitOps tools show for ever.
    """
    schema = _dereferenced(_without_null(_dereferenced(schema, definitions)), definitions)
    converted = {key: schema[key] for key in _KEPT if key in schema}
    converted |= {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
    if "enum" in converted:
        converted["type"] = "string"
    if converted.get("format") == "date-time":
        converted = {name: value for name, value in converted.items() if name != "format"}
        converted["pattern"] = TIME_PATTERN
    if not converted.get("required"):
        converted.pop("required", None)
    if "description" in converted:
        converted["description"] = _reflowed(converted["description"])
    if "properties" in schema:
        converted["properties"] = {
            name: _convert(child, definitions) for name, child in schema["properties"].items()
        }
    if "items" in schema:
        converted["items"] = _convert(schema["items"], definitions)
    for limit in ("Minimum", "Maximum"):
        if f"exclusive{limit}" in converted:  # a number in JSON Schema, a flag in Kubernetes' older dialect
            converted[limit.lower()] = converted[f"exclusive{limit}"]
            converted[f"exclusive{limit}"] = True
    if isinstance(values := schema.get("additionalProperties"), dict):
        converted["additionalProperties"] = _convert(values, definitions)
    return converted


def _reflowed(docstring: str) -> str:
    """Keep paragraphs, drop the line breaks of the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in docstring.split("\n\n"))


def _dereferenced(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target = _dereferenced(definitions[schema["$ref"]], definitions)
    return target | {key: value for key, value in schema.items() if key != "$ref"}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the one type of an optional field, or both types of a quantity as Kubernetes writes it."""
    if "anyOf" not in schema:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
    if sorted(choice.get("type", "") for choice in choices) == ["integer", "string"]:
        bounds = {key: value for choice in choices for key, value in choice.items() if key != "type"}
        return bounds | rest | {"x-kubernetes-int-or-string": True}
    (only,) = choices
    return {**only, **rest}


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated parts out in full: people read this file."""

    def ignore_aliases(self, data: object) -> bool:
        """Return True: no anchors, for anything."""
        del data
        return True


def main() -> None:
    """Write the CRD to standard output."""
    text = yaml.dump(crd(), Dumper=_PlainDumper, sort_keys=False, width=110, allow_unicode=True)
    sys.stdout.write(HEADER + text)


if __name__ == "__main__":
    main()
