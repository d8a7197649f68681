"""What runs inside the Jobs: the drift check and the retraining."""
