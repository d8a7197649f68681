"""Fuzzes retrainings with hostile tables, specs and champions, and verifies what each of them promises.

`kinds_of_columns`, `kinds_of_targets`, `kinds_of_tables`, `kinds_of_recipes` and `kinds_of_champions` make
the inputs, `monitor` runs the retraining's own code against an MLflow server, `promises` says what has to
hold of the report, `serving` asks each registered model as MLflow's scoring server would, and `__main__`
counts.
"""
