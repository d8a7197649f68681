"""Statuses that the CRD admits, whoever has written them: generated from its schema, extremes first."""

import re
from typing import Any, Final

from hypothesis import strategies as st

from selfheal_operator.crd import TIME_PATTERN, crd
from testbed.kubectl import Document

STATUS: Final[Document] = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]

MOST: Final = 2**63 - 1
"""The largest integer that the API server stores."""

_times = st.sampled_from(
    [
        "9999-12-31T23:59:59-23:59",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "2026-11-23T11:00:00Z",
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:00:00.000000001+02:00",
        "2026-11-23T12:59:59Z",
        "2026-11-23T13:00:01Z",
        "2032-11-24T12:00:00Z",
        "2033-01-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-11-23T12:00:00",
    ]
)
"""About support.builders.objects.NOON, where the tests stand; the last three are times to few programs."""

_texts = st.sampled_from(
    [
        *(
            "",
            "DataDrift",
            "nan",
            "inf",
            "-1e999",
            "0x10",
            "é\u0000\u2028",
            "../../../api/v1/secrets",
            "?x=#",
        ),
        *("churn-check-29923920", "churn-check-r0a1b2c3d", "churn-retrain-1", "churn-retrain-999999999"),
        *("Ready", "Retraining", "0.5", "1", "team-a.churn"),
    ]
)


def of_schema(schema: Document) -> st.SearchStrategy[Any]:
    """Return a strategy for the values that a part of the CRD's schema admits."""
    match schema["type"]:
        case "object":
            fields = {name: of_schema(child) for name, child in schema["properties"].items()}
            required = {name: fields.pop(name) for name in schema.get("required", ())}
            return st.fixed_dictionaries(required, optional=fields)
        case "array":
            return _list(schema)
        case "integer":
            extremes = [schema.get("minimum", -MOST - 1), schema.get("maximum", MOST)]
            return (
                st.sampled_from([*extremes, 0, 1, 2])
                if "minimum" in schema
                else st.sampled_from([*extremes, 0, 1])
            )
        case "boolean":
            return st.booleans()
    return _text(schema)


def _list(schema: Document) -> st.SearchStrategy[Any]:
    keys = schema.get("x-kubernetes-list-map-keys")
    unique = (lambda each: tuple(each[key] for key in keys)) if keys else None
    items = of_schema(schema["items"])
    return st.lists(items, max_size=min(3, schema["maxItems"]), unique_by=unique)


def _text(schema: Document) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("pattern") == TIME_PATTERN:
        return _times.filter(lambda time: re.fullmatch(TIME_PATTERN, time) is not None)
    longest = "a" * schema["maxLength"]
    candidates = st.one_of(_texts, st.just(longest), st.just("0.5"))
    least, pattern = schema.get("minLength", 0), schema.get("pattern", "")
    return candidates.filter(
        lambda text: least <= len(text) <= schema["maxLength"] and re.search(pattern, text) is not None
    )


forged_statuses: Final = of_schema(STATUS)
"""Any status that the API server would store."""
