"""What people and their tools read of metrics is what the operator shows."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
import yaml

from selfheal_operator.core.slots import MissedReason
from selfheal_operator.metrics.exposition import Exposition
from selfheal_operator.metrics.family import Family
from selfheal_operator.metrics.instruments import Instruments

ROOT: Final = Path(__file__).resolve().parents[2]
MONITORING: Final = ROOT / "manifests" / "monitoring"
PAGE: Final = (ROOT / "docs" / "metrics.md").read_text()
OF_THE_TARGET: Final = {"instance", "namespace", "pod"}
"""Labels that Prometheus adds."""


def families() -> tuple[Family, ...]:
    """Return all metrics, as `main` has them."""
    instruments = Instruments()
    instruments.read_queue(lambda: 0, lambda: 0.0)
    instruments.read_watches(dict)
    instruments.read_jobs(lambda _: {})
    instruments.read_waiting(lambda _: 0)
    instruments.read_unreadable(lambda: 0)
    return Exposition(instruments, list, lambda: datetime.now(UTC)).families()


def labels_by_series() -> dict[str, set[str]]:
    """Return the labels of everything that can be asked for by name."""
    named: dict[str, set[str]] = {}
    for family in families():
        labels = {*family.labels, *OF_THE_TARGET}
        if family.type == "histogram":
            named |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
            named[f"{family.name}_bucket"] = labels | {"le"}
        else:
            named[family.name] = labels
    return named


def rules() -> list[dict[str, Any]]:
    """Return the alerts."""
    (document,) = yaml.safe_load_all((MONITORING / "prometheus_rule.yaml").read_text())
    return [rule for group in document["spec"]["groups"] for rule in group["rules"]]


def questions() -> list[str]:
    """Return the expressions of docs/metrics.md."""
    (block,) = re.findall(r"```promql\n(.+?)```", PAGE, re.DOTALL)
    return [re.sub(r"^#.*\n", "", paragraph) for paragraph in block.split("\n\n")]


EXPRESSIONS: Final = [*(rule["expr"] for rule in rules()), *questions()]


def parts(expression: str) -> Iterator[Any]:
    """Yield every part of an expression that it can be taken apart into."""
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), found.append)
    yield from found


def test_every_metric_is_in_the_docs_as_it_is():
    """Name, type, labels and meaning: the table says what the operator says, and nothing else."""
    rows = set(re.findall(r"^\| `(selfheal_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == {
        (family.name, family.type, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for family in families()
    }


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_a_name_is_as_prometheus_has_it(family):
    """A counter ends in _total and nothing else does, times are in seconds, and an info is a gauge of 1."""
    assert (family.type == "counter") == family.name.endswith("_total")
    assert re.fullmatch(r"selfheal_[a-z][a-z_]*[a-z]", family.name)
    if family.type == "histogram":
        assert family.name.endswith("_seconds")
    assert not family.name.endswith(("_milliseconds", "_minutes", "_percent", "_count", "_sum", "_bucket"))
    assert family.help.endswith(".")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_series_and_labels_that_are_there(expression):
    """A misspelt one would be true never, and nobody would know."""
    known, asked = labels_by_series(), set()
    for part in parts(expression):
        if isinstance(part, promql_parser.VectorSelector):
            assert part.name in known
            asked.add(part.name)
            assert {matcher.name for matcher in part.matchers.matchers} <= known[part.name]
    assert asked
    labels = set.union(*(known[name] for name in asked))
    for part in parts(expression):
        if isinstance(part, promql_parser.AggregateExpr) and part.modifier is not None:
            assert set(part.modifier.labels) <= labels
        if isinstance(part, promql_parser.BinaryExpr) and part.modifier and part.modifier.matching:
            assert set(part.modifier.matching.labels) <= labels


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_it_means(rule):
    """Severity, a summary, a description, and a line in the docs."""
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"| `{rule['alert']}` |" in PAGE


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_names_only_labels_that_its_expression_leaves(rule):
    """After max by (namespace, monitor) nothing else is left to be named."""
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    first = next(parts(rule["expr"]))
    while isinstance(first, promql_parser.BinaryExpr):
        first = first.lhs
    if isinstance(first, promql_parser.AggregateExpr):
        assert named <= set(first.modifier.labels if first.modifier else ())
    elif isinstance(first, promql_parser.VectorSelector):
        assert named <= labels_by_series()[first.name or ""]
    else:
        assert not named


@pytest.mark.parametrize("reason", MissedReason)
def test_every_reason_is_explained(reason):
    """A slot is missed for a reason that one can read about."""
    assert f"`{reason}`" in PAGE


def test_every_alert_of_the_docs_is_there():
    """None is promised that nobody raises."""
    assert set(re.findall(r"^\| `(Selfheal\w+)` \|", PAGE, re.MULTILINE)) == {
        rule["alert"] for rule in rules()
    }


def test_prometheus_finds_the_operators_pods():
    """From the ServiceMonitor to the Service, and from there to the pods of the Deployment and their port."""
    monitor, service = (
        yaml.safe_load((MONITORING / name).read_text()) for name in ("service_monitor.yaml", "service.yaml")
    )
    common = yaml.safe_load((MONITORING / "kustomization.yaml").read_text())["labels"][0]["pairs"]
    deployment = yaml.safe_load((ROOT / "manifests/base/deployment.yaml").read_text())
    pod = deployment["spec"]["template"]
    (endpoint,), (port,) = monitor["spec"]["endpoints"], service["spec"]["ports"]

    assert monitor["spec"]["selector"]["matchLabels"] == service["metadata"]["labels"] | common
    assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"]
    assert service["metadata"]["namespace"] == deployment["metadata"]["namespace"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    ports = {found["name"]: found["containerPort"] for found in pod["spec"]["containers"][0]["ports"]}
    assert ports[port["targetPort"]] == port["port"]
