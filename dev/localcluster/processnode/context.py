"""The shared context of the process node."""

from dataclasses import dataclass
from pathlib import Path

from localcluster.processnode.apiserver import ApiServer


@dataclass(frozen=True, kw_only=True)
class NodeContext:
    """One process node: its name, its API client, and its pods' settings."""

    name: str
    api: ApiServer
    server: str
    """The API server's URL for pods."""
    ca: bytes
    """The certificate authority with which pods verify the API server, PEM."""
    port: int
    """The port on which this node serves its pods' logs."""
    pods: Path
    """Holds one folder per pod."""
    interpreter: str
    """The interpreter that `python` and `python3` in a pod's command stand for."""
    inherited: tuple[tuple[str, str], ...]
    """The few environment variables that pods inherit because no program runs without them."""
