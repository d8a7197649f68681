"""The Node object, and the Lease as its heartbeat."""

import asyncio
import logging
import os
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path

from localcluster.gobuild import KUBERNETES_VERSION
from localcluster.processnode.apiserver import ApiError, Document, until_answered
from localcluster.processnode.context import NodeContext

# As the kubelet: a lease of 40 s, renewed four times in that time.
LEASE_SECONDS = 40
RENEW_SECONDS = 10
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

logger = logging.getLogger(__name__)


async def stay_registered(node: NodeContext) -> None:
    """Create the Node and keep it Ready, through outages of the API server and deletion of the Node."""
    while True:
        try:
            await until_answered(lambda: _register(node))
            await until_answered(lambda: _renew(node))
        except ApiError as error:
            # A new API server does not have the namespace for Leases yet.
            logger.warning("Registration refused: %s", error)
            await asyncio.sleep(1)
        else:
            await asyncio.sleep(RENEW_SECONDS)


async def _register(node: NodeContext) -> None:
    path = f"/api/v1/nodes/{node.name}"
    try:
        present = await node.api.get(path)
    except ApiError as error:
        if error.status != 404:
            raise
        await node.api.post("/api/v1/nodes", node_document(node.name, node.port, datetime.now(UTC)))
        return
    # After an outage of the API server, the node controller may have set the Node's Ready to Unknown.
    if not is_ready(present):
        document = node_document(node.name, node.port, datetime.now(UTC))
        await node.api.patch(f"{path}/status", {"status": document["status"]})


async def _renew(node: NodeContext) -> None:
    lease = lease_document(node.name, datetime.now(UTC))
    try:
        await node.api.patch(f"{LEASES}/{node.name}", {"spec": lease["spec"]})
    except ApiError as error:
        if error.status != 404:
            raise
        await node.api.post(LEASES, lease)


def is_ready(node: Document) -> bool:
    """Whether the Node's Ready condition is true."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def lease_document(name: str, now: datetime) -> Document:
    """Build the Lease that is the node's heartbeat for the node controller."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease"},
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def node_document(name: str, port: int, now: datetime) -> Document:
    """Build the Node with this machine's processors, memory and disk, and the port of its logs."""
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    resources = {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{_memory_kib()}Ki",
        "ephemeral-storage": f"{shutil.disk_usage('/').total // 1024}Ki",
        "pods": "110",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": architecture,
            },
        },
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [_ready_condition(now)],
            "nodeInfo": {
                "architecture": architecture,
                "bootID": "",
                "containerRuntimeVersion": "process://1",
                "kernelVersion": platform.release(),
                "kubeProxyVersion": "",
                "kubeletVersion": f"{KUBERNETES_VERSION}+process-node",
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "none: pods run as local processes",
                "systemUUID": "",
            },
        },
    }


def _ready_condition(now: datetime) -> Document:
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": "Ready",
        "status": "True",
        "reason": "ProcessNodeReady",
        "message": "the process node takes pods",
        "lastHeartbeatTime": moment,
        "lastTransitionTime": moment,
    }


def _memory_kib() -> int:
    return int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
