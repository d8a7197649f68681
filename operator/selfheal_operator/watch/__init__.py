"""All that knows kopf: the watch of monitors and Jobs."""
