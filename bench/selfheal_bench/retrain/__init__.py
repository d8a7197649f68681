"""Does a retraining decide rightly? Seeded worlds, each with a truth that the retraining does not know."""
