"""One retraining: `run.py` reads from top to bottom."""
