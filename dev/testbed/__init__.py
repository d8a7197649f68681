"""Shared fixtures of the demo, the benchmarks and the tests: an installed operator, kubectl, MLflow, faults.

* `install`, `kubectl`, `credentials`: selfheal in a cluster, and access to it.
* `program`, `operator_process`, `mlflow_server`: programs on this machine, and their logs.
* `fault_proxy`: a proxy to the API server that injects faults.
* `unwatched_monitor`: requests of checks and retrainings without a cluster.
"""
