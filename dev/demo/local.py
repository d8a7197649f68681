"""The demo on this machine alone: local cluster, local MLflow, the operator as a process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from demo.monitors import NAMESPACE
from demo.place import Place
from demo.stage import stage_namespace
from localcluster import LocalCluster, childprocess
from testbed.credentials import write_operator_kubeconfig
from testbed.install import rendered, wait_for_api, without_deployments
from testbed.kubectl import Kubectl
from testbed.mlflow_server import MlflowServer
from testbed.operator_process import OperatorProcess
from testbed.workspace import Workspace


@contextmanager
def local_place(folder: Workspace, say: Callable[[str], None]) -> Iterator[Place]:
    """Yield the place when everything runs; stop it all at the end, however that comes."""
    server, rights = MlflowServer(folder), folder.root / "operator" / "kubeconfig"
    operator = OperatorProcess(folder, rights, "operator", {})
    cluster = LocalCluster(folder.cluster, guarded=True, say=say)
    with ExitStack() as ends:
        binaries = cluster.binaries  # built first if need be: minutes, during which nothing else should run
        say("starting MLflow and a local cluster")
        ends.callback(server.program.stop)
        server.start()
        ends.callback(cluster.stop)
        cluster.start()
        kubectl = Kubectl(binaries / "kubectl", cluster.kubeconfig, NAMESPACE)
        say("installing the CRD and the operator's rights, starting the operator as a local process")
        kubectl.apply_server_side(*without_deployments(rendered(kubectl)), stage_namespace(NAMESPACE))
        wait_for_api(kubectl)
        ends.callback(operator.program.stop)
        write_operator_kubeconfig(cluster, rights)
        operator.start()
        server.wait()

        def check() -> None:
            server.program.check()
            operator.program.check()

        yield Place(
            kubectl=kubectl,
            tracking_uri=server.uri,
            tracking_uri_in_pods=server.uri,
            data_in_pods=str(folder.data),
            check=check,
        )


def stop_leftovers(folder: Workspace) -> None:
    """End what an earlier demo left running that was killed before it could clean up."""
    for record in folder.records():
        childprocess.stop(record, grace_seconds=0)
    LocalCluster(folder.cluster).stop()
