"""What can go wrong in the demo alone."""

from testbed.errors import TestbedError


class TooLateError(TestbedError):
    """Everything runs, but the story did not come to its end in time."""
