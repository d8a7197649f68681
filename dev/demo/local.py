"""The demo on this machine alone: local cluster, local MLflow, the operator as a process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from demo.folders import DemoFolder
from demo.install import rendered, wait_for_api, without_deployments
from demo.kubectl import Kubectl
from demo.mlflow_server import MlflowServer
from demo.monitors import NAMESPACE
from demo.operator_process import OperatorProcess
from demo.place import Place
from demo.stage import stage_namespace
from localcluster import LocalCluster, childprocess


@contextmanager
def local_place(folder: DemoFolder, say: Callable[[str], None]) -> Iterator[Place]:
    """Yield the place when everything runs; stop it all at the end, however that comes."""
    server, operator = MlflowServer(folder), OperatorProcess(folder)
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
        kubectl.apply([*without_deployments(rendered(kubectl)), stage_namespace(NAMESPACE)])
        wait_for_api(kubectl)
        ends.callback(operator.program.stop)
        operator.start(cluster, kubectl)
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


def stop_leftovers(folder: DemoFolder) -> None:
    """End what an earlier demo left running that was killed before it could clean up."""
    for record in folder.records():
        childprocess.stop(record, grace_seconds=0)
    LocalCluster(folder.cluster).stop()
