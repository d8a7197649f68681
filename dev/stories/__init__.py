"""Three retrainings on seeded data, against a real MLflow server: the stories of docs/retraining.md."""
