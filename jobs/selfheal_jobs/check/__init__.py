"""One drift check. Start reading at `run.py`.

* `column_facts`: statistics of the current data's columns; `evaluate`: the signals, each by its module in
  `signals/`.
* `verdict`: the result and its message; `report`: the part of the status that the container writes.
* `mlflow_run`, `evidence`, `evidently_report`: what a check logs to MLflow.
"""
