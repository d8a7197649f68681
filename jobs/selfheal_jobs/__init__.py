"""The code that runs inside the Jobs: the drift check and the retraining."""
