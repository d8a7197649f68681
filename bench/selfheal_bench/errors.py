"""Errors, by who must act."""


class BenchError(Exception):
    """The run itself failed, so there is no result. A missed target is not an error."""


class TooSlowError(BenchError):
    """This machine was not ready in time; the message names the argument that allows more time."""
