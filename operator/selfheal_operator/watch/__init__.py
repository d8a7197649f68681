"""The watches of monitors and Jobs. Only this package uses kopf."""
