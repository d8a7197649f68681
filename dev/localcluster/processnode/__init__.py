"""A node that runs pods as local processes, for machines without root, container engine or images.

Towards the API server it does what a kubelet does and has only a kubelet's rights (Node authorizer,
NodeRestriction): it registers a Node, keeps its Lease, runs the pods that the scheduler binds to it,
reports their states as they change, and removes deleted ones.

What is real: environment from Secrets, ConfigMaps, fields and resources; the pod's own ServiceAccount
token; exit codes, termination messages, grace periods, activeDeadlineSeconds, `kubectl logs`.

What is not, and why: a process has no file system of its own, so the image, users, capabilities,
limits, probes, hooks and the network are not applied, and volumes that would have to appear as files
are refused. Only pods with one container, no init containers and restartPolicy Never are run.
A pod that asks for more fails with a sentence that says so, or waits with it if it is never to end.
Nor is there isolation: a process runs as the user who started the cluster and can read that user's files.

In place of the files that a container finds at fixed paths, the process gets environment variables:

* KUBECONFIG: a kubeconfig with the pod's own token, if the pod mounts one
* TERMINATION_MESSAGE_PATH: stands in for the container's terminationMessagePath
* HOME, TMPDIR: folders of the pod's own, deleted when it ends
"""
