"""What all tests of the containers share."""

from hypothesis import settings

# A deadline per example measures the machine, not the code: pytest's timeout bounds the whole test.
settings.register_profile("selfheal", deadline=None)
settings.load_profile("selfheal")
