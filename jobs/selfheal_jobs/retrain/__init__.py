"""One retraining. Start reading at `run.py`."""
