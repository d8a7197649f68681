"""The pod's own identity: its ServiceAccount's token, and a kubeconfig that uses it."""

import asyncio
from datetime import UTC, datetime

from localcluster.kubeconfig import kubeconfig, token_user, write_kubeconfig
from localcluster.processnode.apiserver import ApiError, Document, until_answered
from localcluster.processnode.context import NodeContext
from localcluster.processnode.environment import ConfigError
from localcluster.processnode.podfolder import PodFolder
from localcluster.processnode.podspec import token_request
from localcluster.processnode.podstatus import parse_timestamp

RENEW_AFTER = 0.8
"""The share of a token's life after which it is renewed, as the kubelet does."""


async def write_identity(node: NodeContext, pod: Document, folder: PodFolder) -> datetime | None:
    """Write the pod's token and kubeconfig; return when the token expires, None for a pod without one.

    Raises:
        ConfigError: The API server issues no token, for example because the ServiceAccount is missing.
    """
    if token_request(pod) is None:
        return None
    expires = await _write_token(node, pod, folder)
    document = kubeconfig(node.server, node.ca, token_user(folder.token), pod["metadata"]["namespace"])
    write_kubeconfig(folder.kubeconfig, document)
    return expires


async def keep_token_fresh(node: NodeContext, pod: Document, folder: PodFolder, expires: datetime) -> None:
    """Renew the token before it expires, until cancelled or refused."""
    while True:
        lifetime = (expires - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(lifetime * RENEW_AFTER, 1.0))
        try:
            expires = await _write_token(node, pod, folder)
        except ConfigError:
            return  # the pod or its ServiceAccount is gone; the process runs until it is stopped


async def _write_token(node: NodeContext, pod: Document, folder: PodFolder) -> datetime:
    account = pod["spec"].get("serviceAccountName", "default")
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/serviceaccounts/{account}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": token_request(pod)}
    try:
        answer = await until_answered(lambda: node.api.post(path, body))
    except ApiError as error:
        raise ConfigError(f"no token for ServiceAccount {account}: {error.message}") from error
    fresh = folder.token.with_name("token.new")
    fresh.touch(mode=0o600)
    fresh.write_text(answer["status"]["token"])
    fresh.replace(folder.token)
    return parse_timestamp(answer["status"]["expirationTimestamp"])
