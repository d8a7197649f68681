from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal_operator import crd as module
from selfheal_operator.crd import HEADER, PRINTER_COLUMNS, TIME_PATTERN, crd

COMMITTED = Path(__file__).parents[2] / "crds" / "modelmonitors.selfheal.dev.yaml"
(VERSION,) = crd()["spec"]["versions"]
ROOT = VERSION["schema"]["openAPIV3Schema"]


def schemas(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema in a schema, with its path."""
    yield path or ".", schema
    for name, child in schema.get("properties", {}).items():
        yield from schemas(child, f"{path}.{name}")
    if "items" in schema:
        yield from schemas(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from schemas(schema["additionalProperties"], f"{path}.*")


ALL = dict(schemas(ROOT))


def test_the_committed_file_is_fresh(capsys):
    """`make manifests` would change nothing."""
    module.main()

    assert capsys.readouterr().out == COMMITTED.read_text()


def test_the_committed_file_is_plain_and_small():
    """People read it, and `kubectl apply` has to fit it into an annotation."""
    text = COMMITTED.read_text()

    assert text.startswith(HEADER)
    assert len(text) < 256 * 1024
    assert "&id" not in text
    assert yaml.safe_load(text) == crd()


@pytest.mark.parametrize(
    "keyword", ["default", "$ref", "$defs", "anyOf", "oneOf", "title", "nullable", "const"]
)
def test_no_schema_says(keyword):
    """No defaults: what a user did not write, the API server must not add. The rest is not structural."""
    found = [path for path, schema in ALL.items() if keyword in schema]

    assert [path for path in found if not ALL[path].get("x-kubernetes-int-or-string")] == []


def test_every_schema_has_a_type():
    """Structural schemas have, except for int-or-string."""
    without = [path for path, schema in ALL.items() if "type" not in schema]

    assert [path for path in without if not ALL[path].get("x-kubernetes-int-or-string")] == []


@pytest.mark.parametrize("path", sorted(path for path in ALL if path.startswith((".spec", ".status"))))
def test_every_part_is_bounded(path):
    """No object is large or deep enough to harm who lists it; CEL's worst case is reckoned from this too."""
    schema = ALL[path]
    bounds = {"string": {"enum", "maxLength"}, "array": {"maxItems"}}.get(schema.get("type", ""), set())
    if schema.get("x-kubernetes-int-or-string"):
        bounds = {"maxLength"}
    if "additionalProperties" in schema:
        bounds = {"maxProperties"}

    assert not bounds or bounds & set(schema), f"{path} needs one of {sorted(bounds)}"


def test_every_field_is_described():
    """`kubectl explain` has something to say about each."""
    fields = [(path, schema) for path, schema in ALL.items() if path.startswith((".spec", ".status"))]
    without = [
        path for path, schema in fields if not schema.get("description") and not path.endswith(("[]", ".*"))
    ]

    assert without == []


def test_descriptions_have_no_line_breaks_of_the_source():
    """Only paragraphs."""
    for path, schema in ALL.items():
        for paragraph in schema.get("description", "").split("\n\n"):
            assert "\n" not in paragraph, path
            assert "  " not in paragraph, path


def test_exclusive_bounds_are_flags():
    """As in the dialect of JSON Schema that Kubernetes speaks."""
    fraction = ALL[".spec.retraining.testFraction"]

    assert (fraction["minimum"], fraction["exclusiveMinimum"]) == (0, True)
    assert (fraction["maximum"], fraction["exclusiveMaximum"]) == (1, True)


def test_lists_say_how_they_are_merged():
    """Server-side apply has to know: by a key, or as a whole."""
    for path, schema in ALL.items():
        if schema.get("type") == "array":
            kind = schema.get("x-kubernetes-list-type")
            assert kind in {"map", "atomic", "set"}, path
            if kind == "map":
                keys = schema["x-kubernetes-list-map-keys"]
                assert set(keys) <= set(schema["items"]["required"]), path


def test_no_text_has_a_format():
    """With one, the API server would take a list for it, nested however deep."""
    assert [path for path, schema in ALL.items() if "format" in schema] == []


def test_times_are_times():
    """So that the API server refuses anything else."""
    times = [path for path in ALL if path.endswith("Time")]

    assert len(times) > 8
    assert [path for path in times if ALL[path].get("pattern") != TIME_PATTERN] == []


@pytest.mark.parametrize(
    ("path", "required"),
    [
        (".", {"spec"}),
        (".spec", {"dataset", "target", "threshold"}),
        (".spec.dataset", {"reference", "current"}),
        (".spec.retraining", set()),
        (".status", set()),
        (".status.conditions[]", {"type", "status", "reason", "message", "lastTransitionTime"}),
    ],
)
def test_what_must_be_written(path, required):
    """Little: the short form at the top of the README is a whole monitor."""
    assert set(ALL[path].get("required", ())) == required


def test_every_rule_has_a_sentence():
    """The API server's own words about CEL help nobody."""
    rules = [rule for schema in ALL.values() for rule in schema.get("x-kubernetes-validations", ())]

    assert len(rules) >= 8
    assert [rule["rule"] for rule in rules if len(rule.get("message", "")) < 20] == []


def test_no_part_is_open():
    """What is stored has been described: an open field takes whatever is nested, however deep."""
    said = [path for path, schema in ALL.items() if "x-kubernetes-preserve-unknown-fields" in schema]
    objects = [path for path, schema in ALL.items() if schema.get("type") == "object"]
    parts = ("properties", "additionalProperties")
    undescribed = [path for path in objects if not any(part in ALL[path] for part in parts)]

    assert said == []
    assert undescribed == [".metadata"]  # the API server's own


def test_columns_point_at_fields_that_there_are():
    """A column of a field that was renamed would be empty for ever."""
    for column in PRINTER_COLUMNS:
        path = column["jsonPath"].partition("[")[0]
        assert path in ALL or path == ".metadata.creationTimestamp", column["name"]


def test_the_status_is_a_subresource_and_the_names_are_the_documented_ones():
    """So `kubectl get mmon` works, and a spec can be edited without the right to write statuses."""
    names = crd()["spec"]["names"]

    assert VERSION["subresources"] == {"status": {}}
    assert (names["plural"], names["shortNames"]) == ("modelmonitors", ["mmon"])
    assert crd()["metadata"]["name"] == "modelmonitors.selfheal.dev"
