"""One drift check: `run.py` reads from top to bottom.

* `column_facts`: what is seen of the current data's columns; `evaluate`: the signals, each by its module in
  `signals/`.
* `verdict`: the result and its sentence; `report`: the part of the status that the container writes.
* `mlflow_run`, `evidence`, `evidently_report`: what a check leaves in MLflow.
"""
