"""What the demo, the benchmarks and the tests stand on: an installed operator, kubectl, MLflow, faults.

* `install`, `kubectl`, `credentials`: selfheal in a cluster, and whoever talks to it.
* `program`, `operator_process`, `mlflow_server`: programs on this machine, and their logs.
* `fault_proxy`: a way to the API server whose faults are switched on and off.
"""
