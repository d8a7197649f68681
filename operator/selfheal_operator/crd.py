"""Renders the CRD from the API models: `python -m selfheal_operator.crd > crds/...` (`make manifests`)."""

import sys
from typing import Any, Final

import yaml

from selfheal_operator.api.names import GROUP, KIND, PLURAL, SHORT_NAME, SINGULAR, VERSION
from selfheal_operator.api.v1alpha1 import ROOT_RULES, ApiModel, ModelMonitorSpec, ModelMonitorStatus

HEADER: Final = "# Generated from operator/selfheal_operator/api by `make manifests`. Do not edit.\n"

_KEPT: Final[tuple[str, ...]] = (
    *("type", "format", "description", "enum", "pattern", "required"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems"),
)


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
    schema = model.model_json_schema(by_alias=True)
    return _convert(schema, schema.get("$defs", {}))


def _convert(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Turn JSON Schema as pydantic writes it into a structural schema.

    References are put in place, optional fields lose their null, and defaults are left out: a default
    that the API server writes into spec is a difference that GitOps tools show for ever.
    """
    schema = _dereferenced(_without_null(_dereferenced(schema, definitions)), definitions)
    converted = {key: schema[key] for key in _KEPT if key in schema}
    converted |= {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
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
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and not converted.get("x-kubernetes-preserve-unknown-fields"):
        converted["additionalProperties"] = values
    return converted


def _reflowed(docstring: str) -> str:
    """Keep paragraphs, drop the line breaks of the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in docstring.split("\n\n"))


def _dereferenced(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target = _dereferenced(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    return target | {key: value for key, value in schema.items() if key != "$ref"}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" not in schema:
        return schema
    (only,) = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
    return {**only, **{key: value for key, value in schema.items() if key != "anyOf"}}


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
