"""What all tests of the API share."""

from hypothesis import settings

# Derandomized: a red run is red again. No deadline per example: it would measure the machine.
settings.register_profile("selfheal", deadline=None, derandomize=True, database=None)
settings.load_profile("selfheal")
