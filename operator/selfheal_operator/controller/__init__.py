"""The controller of monitors: queue, reconcile, execute; kopf is unknown here."""
