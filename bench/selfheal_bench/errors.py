"""What can go wrong, by who has to act."""


class BenchError(Exception):
    """The run itself failed: there is no figure to report. A missed target is not an error."""


class TooSlowError(BenchError):
    """This machine was not ready in time; the sentence names the argument that gives it more."""
