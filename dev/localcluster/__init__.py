"""A Kubernetes control plane of real parts on this machine, and a node that runs pods as local processes.

etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the upstream programs, unchanged: schema
validation, CEL, RBAC, admission, garbage collection and the Job controller are the real ones.
Only the node is ours (`localcluster.processnode`): where a kubelet would start containers,
it starts processes, so that neither root nor a container engine nor images are needed.

Everything listens on 127.0.0.1 and lives in one state directory, which `LocalCluster.stop` removes.
"""

from localcluster.cluster import LocalCluster
from localcluster.options import ControlPlaneOptions

__all__ = ["ControlPlaneOptions", "LocalCluster"]
