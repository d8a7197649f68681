"""Builds a container's environment from its spec: plain values and references."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcluster.processnode.apiserver import Document

Environment = dict[str, str]
_REFERENCE = re.compile(r"\$(\$|\((?P<name>[-._a-zA-Z0-9]+)\))")
_KEYED_FIELD = re.compile(r"metadata\.(?P<map>labels|annotations)\['(?P<key>[^']+)'\]")


class ConfigError(Exception):
    """The container cannot be created yet; the message is worded like the kubelet's."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The ConfigMaps and Secrets of a namespace that exist, by name, each as decoded text by key."""

    configmaps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class SourceRef:
    """A ConfigMap or Secret that a container asks for."""

    kind: str
    name: str


def referenced_sources(container: Document) -> set[SourceRef]:
    """Name all ConfigMaps and Secrets that the container's environment is made from."""
    found = {
        SourceRef(kind, entry[key]["name"])
        for entry in container.get("envFrom", [])
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret"))
        if key in entry
    }
    found |= {
        SourceRef(kind, entry["valueFrom"][key]["name"])
        for entry in container.get("env", [])
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))
        if key in entry.get("valueFrom", {})
    }
    return found


def container_environment(
    pod: Document, container: Document, sources: Sources, given: Mapping[str, str]
) -> Environment:
    """Build the environment from `given`, then `envFrom`, then `env`; later ones win.

    Args:
        pod: The pod, for its fields.
        container: The container whose `env` and `envFrom` count.
        sources: The referenced ConfigMaps and Secrets that exist.
        given: The variables of every container, such as KUBERNETES_SERVICE_HOST.

    Raises:
        ConfigError: Something that is not optional does not exist (yet).
    """
    resolver = _Resolver(pod, container, sources)
    result = dict(given)
    for entry in container.get("envFrom", []):
        values = resolver.all_of(entry)
        result.update({entry.get("prefix", "") + key: value for key, value in values.items()})
    for entry in container.get("env", []):
        value = resolver.value(entry, result)
        if value is not None:
            result[entry["name"]] = value
    return result


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by the variable's value; unknown names stay as they are, `$$` is a plain `$`.

    Examples:
        >>> expand("$(GREETING) $(NOBODY) $$(GREETING)", {"GREETING": "hi"})
        'hi $(NOBODY) $(GREETING)'
    """

    def replaced(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return environment.get(match["name"], match[0])

    return _REFERENCE.sub(replaced, text)


@dataclass(frozen=True)
class _Resolver:
    """Finds the values that the entries of one container stand for."""

    pod: Document
    container: Document
    sources: Sources

    def value(self, entry: Document, so_far: Mapping[str, str]) -> str | None:
        """Return an entry's value; None when it is optional and does not exist."""
        origin = entry.get("valueFrom")
        if not origin:
            return expand(entry.get("value", ""), so_far)
        if ref := origin.get("configMapKeyRef"):
            return self._one_of("ConfigMap", self.sources.configmaps, ref)
        if ref := origin.get("secretKeyRef"):
            return self._one_of("Secret", self.sources.secrets, ref)
        if ref := origin.get("fieldRef"):
            return field_value(self.pod, ref["fieldPath"])
        if ref := origin.get("resourceFieldRef"):
            return resource_value(self.container, ref)
        kinds = ", ".join(origin)
        raise ConfigError(f"the process node cannot resolve valueFrom of env {entry['name']}: {kinds}")

    def all_of(self, entry: Document) -> Mapping[str, str]:
        """Return all values of an `envFrom` entry; none when it is optional and does not exist."""
        if "configMapRef" in entry:
            kind, ref, present = "configmap", entry["configMapRef"], self.sources.configmaps
        else:
            kind, ref, present = "secret", entry["secretRef"], self.sources.secrets
        if ref["name"] not in present and not ref.get("optional", False):
            raise ConfigError(f'{kind} "{ref["name"]}" not found')
        return present.get(ref["name"], {})

    def _one_of(self, kind: str, present: Mapping[str, Mapping[str, str]], ref: Document) -> str | None:
        name, key = ref["name"], ref["key"]
        if key in present.get(name, {}):
            return present[name][key]
        if ref.get("optional", False):
            return None
        if name not in present:
            raise ConfigError(f'{kind.lower()} "{name}" not found')
        raise ConfigError(f"couldn't find key {key} in {kind} {self.pod['metadata']['namespace']}/{name}")


FIELDS: Mapping[str, Callable[[Document], Any]] = {
    "metadata.name": lambda pod: pod["metadata"]["name"],
    "metadata.namespace": lambda pod: pod["metadata"]["namespace"],
    "metadata.uid": lambda pod: pod["metadata"]["uid"],
    "spec.nodeName": lambda pod: pod["spec"]["nodeName"],
    "spec.serviceAccountName": lambda pod: pod["spec"].get("serviceAccountName", ""),
    "status.hostIP": lambda _: "127.0.0.1",
    "status.hostIPs": lambda _: "127.0.0.1",
    "status.podIP": lambda _: "127.0.0.1",
    "status.podIPs": lambda _: "127.0.0.1",
}


def field_value(pod: Document, path: str) -> str:
    """Return a field of the pod, as the downward API gives it.

    Raises:
        ConfigError: The downward API has no such field.
    """
    if path in FIELDS:
        return str(FIELDS[path](pod))
    if match := _KEYED_FIELD.fullmatch(path):
        return str(pod["metadata"].get(match["map"], {}).get(match["key"], ""))
    raise ConfigError(f"the process node cannot resolve fieldRef {path}")


def resource_value(container: Document, ref: Document) -> str:
    """Return a limit or request of the container in units of the divisor, rounded up.

    A request that is not set is zero.

    Raises:
        ConfigError: A limit that is not set: a kubelet would give the node's size, which is not applied here.
    """
    # Imported here because the import takes half a second and few pods need it.
    from kubernetes.utils.quantity import parse_quantity  # noqa: PLC0415

    kind, _, resource = ref["resource"].partition(".")
    quantity = container.get("resources", {}).get(kind, {}).get(resource)
    if quantity is None and kind == "limits":
        raise ConfigError(f"the process node cannot resolve {ref['resource']}: no such limit is set")
    # An unset divisor arrives as "0".
    unit = parse_quantity(ref.get("divisor", "0")) or 1
    return str(math.ceil(parse_quantity(quantity or "0") / unit))
