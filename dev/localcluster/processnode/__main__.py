"""Runs the process node until SIGTERM or SIGINT."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from localcluster.processnode.apiserver import ApiServer
from localcluster.processnode.context import NodeContext
from localcluster.processnode.podlogs import logs_application
from localcluster.processnode.podwatch import PodWatch
from localcluster.processnode.registration import stay_registered
from localcluster.statedir import StateDir

# A pod sees nothing else of the environment this process was started in.
INHERITED = (
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "LOCALCLUSTER_STATE",
)


def inherited(interpreter: str) -> tuple[tuple[str, str], ...]:
    """Return the environment variables that pods inherit, with a PATH for programs."""
    path = os.pathsep.join((str(Path(interpreter).parent), "/usr/local/bin", "/usr/bin", "/bin"))
    return (("PATH", path), *((name, os.environ[name]) for name in INHERITED if name in os.environ))


def client_context(pki: Path) -> ssl.SSLContext:
    """Return a context that trusts the cluster's authority and presents the node's certificate."""
    context = ssl.create_default_context(cafile=pki / "ca.crt")
    context.load_cert_chain(pki / "process-node.crt", pki / "process-node.key")
    return context


def server_context(pki: Path) -> ssl.SSLContext:
    """Return a context that requires a client certificate of the cluster's authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pki / "process-node.crt", pki / "process-node.key")
    return context


async def run(arguments: argparse.Namespace) -> None:
    """Run the node's tasks; return after SIGTERM or SIGINT, when all pods have ended."""
    state = StateDir(arguments.state)
    async with ApiServer(arguments.server, client_context(state.pki)) as api, _stopped_by_signals():
        node = NodeContext(
            name=arguments.node_name,
            api=api,
            server=arguments.server,
            ca=(state.pki / "ca.crt").read_bytes(),
            port=arguments.port,
            pods=state.pods,
            interpreter=arguments.interpreter,
            inherited=inherited(arguments.interpreter),
        )
        logs = web.AppRunner(logs_application(node), access_log=None)
        await logs.setup()
        await web.TCPSite(logs, "127.0.0.1", node.port, ssl_context=server_context(state.pki)).start()
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(stay_registered(node))
                parts.create_task(PodWatch(node).run())
        finally:
            await logs.cleanup()


@contextlib.asynccontextmanager
async def _stopped_by_signals() -> AsyncIterator[None]:
    if ours := asyncio.current_task():
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ours.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        yield


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m localcluster.processnode", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the cluster's state directory")
    parser.add_argument("--node-name", required=True)
    parser.add_argument("--server", required=True, help="URL of the API server")
    parser.add_argument("--port", type=int, required=True, help="where pods' logs are served")
    parser.add_argument("--interpreter", required=True, help="what `python` means in a pod's command")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
