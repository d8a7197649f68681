"""MLflow: its REST API for checks, its library for retrainings."""
