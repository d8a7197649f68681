"""One drift check: `run.py` reads from top to bottom.

* `column_facts`, `evaluate`, `signal_*`: what else a check finds out of the current data.
* `verdict`: the result and its sentence; `report`: the part of the status that the container writes.
* `mlflow_run`, `evidence`, `evidently_report`: what a check leaves in MLflow.
"""
