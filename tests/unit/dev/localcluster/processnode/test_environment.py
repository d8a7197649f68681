"""A container's environment, from what its spec says and what exists."""

from typing import Any

import pytest

from localcluster.processnode.environment import (
    ConfigError,
    SourceRef,
    Sources,
    container_environment,
    expand,
    referenced_sources,
)

Document = dict[str, Any]
POD: Document = {
    "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app.kubernetes.io/name": "x"}},
    "spec": {"nodeName": "n", "serviceAccountName": "sa"},
}
SOURCES = Sources(configmaps={"settings": {"a": "1", "b": "2"}}, secrets={"login": {"word": "sesame"}})


def environment(*, given: dict[str, str] | None = None, **container: Any) -> dict[str, str]:
    """Make the environment of a container with these fields."""
    return container_environment(POD, container, SOURCES, given or {})


def test_later_sources_win() -> None:
    """What every pod gets is overridden by envFrom, and that by env."""
    made = environment(
        given={"a": "given", "b": "given", "c": "given"},
        envFrom=[{"configMapRef": {"name": "settings"}}],
        env=[{"name": "a", "value": "own"}],
    )

    assert made == {"a": "own", "b": "2", "c": "given"}


def test_prefix_of_env_from() -> None:
    """The prefix of an envFrom entry is put before each name."""
    assert environment(envFrom=[{"prefix": "S_", "secretRef": {"name": "login"}}]) == {"S_word": "sesame"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "ns"),
        ("metadata.uid", "u"),
        ("metadata.labels['app.kubernetes.io/name']", "x"),
        ("metadata.annotations['none']", ""),
        ("spec.nodeName", "n"),
        ("spec.serviceAccountName", "sa"),
        ("status.podIP", "127.0.0.1"),
    ],
)
def test_fields_of_the_pod(path: str, value: str) -> None:
    """A fieldRef gives the pod's field."""
    assert environment(env=[{"name": "F", "valueFrom": {"fieldRef": {"fieldPath": path}}}]) == {"F": value}


@pytest.mark.parametrize(
    ("resource", "quantity", "divisor", "value"),
    [
        ("requests.cpu", "500m", "1", "1"),  # rounded up
        ("requests.cpu", "500m", "1m", "500"),
        ("limits.memory", "1Gi", "1Mi", "1024"),
        ("limits.memory", "1Gi", "0", "1073741824"),  # an unset divisor
    ],
)
def test_resources_of_the_container(resource: str, quantity: str, divisor: str, value: str) -> None:
    """A resourceFieldRef gives whole units of the divisor."""
    kind, _, name = resource.partition(".")
    ref = {"resource": resource, "divisor": divisor}
    made = environment(
        env=[{"name": "R", "valueFrom": {"resourceFieldRef": ref}}], resources={kind: {name: quantity}}
    )

    assert made == {"R": value}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"envFrom": [{"secretRef": {"name": "gone"}}]}, 'secret "gone" not found'),
        ({"envFrom": [{"configMapRef": {"name": "gone"}}]}, 'configmap "gone" not found'),
        (
            {"env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k"}}}]},
            'secret "gone" not found',
        ),
        (
            {"env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "login", "key": "k"}}}]},
            "couldn't find key k in Secret ns/login",
        ),
        (
            {"env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}}]},
            "couldn't find key k in ConfigMap ns/settings",
        ),
    ],
)
def test_what_is_missing_is_named_as_the_kubelet_names_it(container: Document, message: str) -> None:
    """Missing sources and keys keep the container from being made."""
    with pytest.raises(ConfigError) as raised:
        environment(**container)

    assert str(raised.value) == message


@pytest.mark.parametrize(
    "container",
    [
        {"envFrom": [{"secretRef": {"name": "gone", "optional": True}}]},
        {
            "env": [
                {"name": "E", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k", "optional": True}}}
            ]
        },
        {
            "env": [
                {"name": "E", "valueFrom": {"secretKeyRef": {"name": "login", "key": "k", "optional": True}}}
            ]
        },
    ],
)
def test_optional_sources_may_be_missing(container: Document) -> None:
    """What is optional and missing leaves no variable."""
    assert environment(**container) == {}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)-$(A)", "1-1"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$A $( A) $", "$A $( A) $"),
    ],
)
def test_references_to_variables(text: str, expanded: str) -> None:
    """`$(NAME)` is replaced, unless unknown or escaped."""
    assert expand(text, {"A": "1"}) == expanded


def test_referenced_sources() -> None:
    """Every ConfigMap and Secret is named once, however often it is used."""
    container = {
        "envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
        "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "B", "value": "plain"},
        ],
    }

    assert referenced_sources(container) == {SourceRef("Secret", "s"), SourceRef("ConfigMap", "c")}
