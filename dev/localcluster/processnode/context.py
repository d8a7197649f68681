"""What every part of the process node needs to know."""

from dataclasses import dataclass
from pathlib import Path

from localcluster.processnode.apiserver import ApiServer


@dataclass(frozen=True, kw_only=True)
class NodeContext:
    """One process node: its name, its connection, and what its pods run with."""

    name: str
    api: ApiServer
    server: str
    """URL of the API server, as pods are told it."""
    ca: bytes
    """The certificate by which pods recognise the API server, PEM."""
    port: int
    """Where this node serves its pods' logs."""
    pods: Path
    """Holds one folder per pod."""
    interpreter: str
    """What `python` and `python3` mean in a pod's command."""
    inherited: tuple[tuple[str, str], ...]
    """The few variables of this process that pods get too, since nothing runs without them."""
