"""Starts and stops a local cluster: `python -m localcluster up | down | ...`; `--help` lists all commands."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from localcluster.cluster import LocalCluster
from localcluster.errors import LocalClusterError, NotAClusterError
from localcluster.podlogs import newest_log

DEFAULT_STATE = Path(__file__).resolve().parents[2] / ".cluster"


def programs(cluster: LocalCluster, _: argparse.Namespace) -> None:
    """Get the cluster's programs, if they are not there yet, and print their folder."""
    print(cluster.binaries)


def up(cluster: LocalCluster, _: argparse.Namespace) -> None:
    """Start what is not running yet, and print the kubeconfig's path."""
    if cluster.state.exists and all(cluster.running.values()) and cluster.api_ready():
        _say("already up")
    else:
        # Downloading or building the programs is not part of the start; its time is reported separately.
        binaries = cluster.binaries
        began = time.monotonic()
        cluster.start()
        _say(f"up after {time.monotonic() - began:.1f} s; kubectl is {binaries / 'kubectl'}")
    print(cluster.kubeconfig)


def down(cluster: LocalCluster, _: argparse.Namespace) -> None:
    """Stop everything and remove the state directory."""
    existed = cluster.state.exists
    cluster.stop()
    _say("down" if existed else f"nothing to stop in {cluster.state.root}")


def status(cluster: LocalCluster, _: argparse.Namespace) -> None:
    """Print which component runs; exit with 1 when one does not."""
    for name, running in cluster.running.items():
        print(f"{name:<24} {'running' if running else 'stopped'}")
    if not all(cluster.running.values()):
        raise SystemExit(1)


def kubeconfig(cluster: LocalCluster, _: argparse.Namespace) -> None:
    """Print the path of the administrator's kubeconfig."""
    if not cluster.kubeconfig.exists():
        raise NotAClusterError(f"no local cluster in {cluster.state.root}; start one with `up`")
    print(cluster.kubeconfig)


def logs(cluster: LocalCluster, arguments: argparse.Namespace) -> None:
    """Print the log of a Job's newest pod, even if the pod was deleted."""
    log = newest_log(cluster.state.pods, arguments.job, arguments.namespace)
    if log is None:
        where = f" in namespace {arguments.namespace}" if arguments.namespace else ""
        raise NotAClusterError(
            f"no pod of a Job named {arguments.job}{where} has run in {cluster.state.root}"
        )
    _say(f"pod {log.namespace}/{log.pod}, created {log.created}: {log.path}")
    if log.path.exists():
        with log.path.open() as content:
            shutil.copyfileobj(content, sys.stdout)


def main() -> None:
    """Read the command line and run one command."""
    arguments = _parser().parse_args()
    cluster = LocalCluster(arguments.state, say=_say)
    try:
        arguments.run(cluster, arguments)
    except LocalClusterError as error:
        raise SystemExit(f"localcluster: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcluster", description=__doc__)
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, help="the cluster's folder (default: %(default)s)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (programs, up, down, status, kubeconfig, logs):
        added = commands.add_parser(command.__name__, help=command.__doc__, description=command.__doc__)
        added.set_defaults(run=command)
        if command is logs:
            added.add_argument("job", help="name of a Job or of a pod")
            added.add_argument("-n", "--namespace", help="where to look (default: everywhere)")
    return parser


def _say(line: str) -> None:
    print(f"localcluster: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
