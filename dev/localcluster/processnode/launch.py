"""Prepares a container's start: its command, its environment and its identity."""

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from localcluster.processnode.apiserver import ApiError, Document, until_answered
from localcluster.processnode.container import POD_MARK, Command
from localcluster.processnode.context import NodeContext
from localcluster.processnode.environment import (
    ConfigError,
    Environment,
    SourceRef,
    Sources,
    container_environment,
    expand,
    referenced_sources,
)
from localcluster.processnode.podfolder import PodFolder
from localcluster.processnode.podidentity import write_identity
from localcluster.processnode.podspec import main_container


@dataclass(frozen=True, kw_only=True)
class Launch:
    """All that is needed to start a container."""

    command: Command
    token_expires: datetime | None
    """When the pod's token expires; None for a pod without a token."""


async def gather(node: NodeContext, pod: Document, folder: PodFolder) -> Launch:
    """Gather all that the pod's container needs.

    Raises:
        ConfigError: Something it needs does not exist (yet).
    """
    container = main_container(pod)
    expires = await write_identity(node, pod, folder)
    sources = await _read_sources(node, pod["metadata"]["namespace"], referenced_sources(container))
    environment = container_environment(pod, container, sources, _given(node, pod))
    words = [expand(word, environment) for word in (*container["command"], *container.get("args", []))]
    imposed = _imposed(folder, pod["metadata"]["uid"], with_identity=expires is not None)
    command = Command(
        argv=interpreted(words, node.interpreter),
        environment={**environment, **imposed},
        directory=folder.home,
        log=folder.log(container["name"]),
    )
    return Launch(command=command, token_expires=expires)


def interpreted(words: list[str], interpreter: str) -> list[str]:
    """Replace a leading `python` or `python3` by the given interpreter."""
    program, *rest = words
    return [interpreter if program in {"python", "python3"} else program, *rest]


def _given(node: NodeContext, pod: Document) -> Environment:
    """Return the environment variables of every container; its spec may override them."""
    host, port = node.server.removeprefix("https://").split(":")
    return {
        **dict(node.inherited),
        "HOSTNAME": pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
    }


def _imposed(folder: PodFolder, uid: str, *, with_identity: bool) -> Environment:
    """Return the variables that replace a container's file system; the spec cannot override them."""
    identity = {"KUBECONFIG": str(folder.kubeconfig)} if with_identity else {}
    return {
        **identity,
        "HOME": str(folder.home),
        "TMPDIR": str(folder.tmp),
        "TERMINATION_MESSAGE_PATH": str(folder.termination_message),
        POD_MARK: uid,
    }


async def _read_sources(node: NodeContext, namespace: str, refs: set[SourceRef]) -> Sources:
    """Read the ConfigMaps and Secrets that exist; those that do not are left out."""
    found: dict[str, dict[str, dict[str, str]]] = {"ConfigMap": {}, "Secret": {}}
    for ref in sorted(refs):
        path = f"/api/v1/namespaces/{namespace}/{ref.kind.lower()}s/{ref.name}"
        try:
            document = await until_answered(partial(node.api.get, path))
        except ApiError as error:
            if error.status != 404:
                raise ConfigError(error.message) from error
            continue
        data = document.get("data") or {}
        found[ref.kind][ref.name] = _decoded(data) if ref.kind == "Secret" else data
    return Sources(configmaps=found["ConfigMap"], secrets=found["Secret"])


def _decoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
