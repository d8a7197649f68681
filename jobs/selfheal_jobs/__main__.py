"""`python -m selfheal_jobs check|retrain|promote`: the container's entry point.

The exit code says whether the report arrived, nothing else: 0 if it did, whatever it says. An error in the
user's data is a delivered report too; a Job that failed on it would only be retried for nothing.
1: the report could not be delivered, and waits in the termination message. 2: there was no request.
"""

import gc
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, ValidationError

from selfheal_jobs.errors import RequestError, UndeliveredError
from selfheal_jobs.foreign_variables import drop_foreign_variables
from selfheal_jobs.pod_secrets import secrets_of
from selfheal_jobs.quiet_libraries import QUIET
from selfheal_jobs.redaction import learn_secrets, printable, without_secrets
from selfheal_operator.api.model import first_violation
from selfheal_operator.api.names import ENV_REQUEST
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_PURPOSES: Final = ("check", "retrain", "promote")

_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""A check has no matrix products that benefit from a second thread, and NumPy's threads busy-wait for work: a
tenth of a second of CPU. Read when NumPy is imported. A retraining needs the threads."""


def main(arguments: list[str] | None = None) -> int:
    """Run once, and return the exit code."""
    purpose = _purpose(sys.argv[1:] if arguments is None else arguments)
    drop_foreign_variables(os.environ)
    for name, value in (QUIET | (_ONE_THREAD if purpose == "check" else {})).items():
        os.environ.setdefault(name, value)
    _log_to_stdout()
    try:
        _run(_request(Purpose(purpose.capitalize())))
    except RequestError as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400  the sentence is complete
        return 2
    except UndeliveredError as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400  the sentence is complete
        return 1
    except Exception:
        # Logged, since Python itself would print the traceback as it is.
        logging.getLogger(__name__).exception("The run ended by a defect")
        return 1
    return 0


def _purpose(arguments: list[str]) -> str:
    if len(arguments) == 1 and arguments[0] in _PURPOSES:
        return arguments[0]
    # Imported here: it takes 9 ms of a check's start, and only --help and a wrong command line need it.
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="selfheal_jobs", description=__doc__)
    parser.add_argument("purpose", choices=_PURPOSES)
    return str(parser.parse_args(arguments).purpose)


class _Masking(logging.Formatter):
    """Masks secrets in whatever is logged, by libraries too, and in tracebacks; controls no terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        lines = without_secrets(super().format(record)).split("\n")
        return "\n".join(map(printable, lines))


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Masking("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # which libraries print otherwise
    logging.getLogger("selfheal_jobs").setLevel(logging.INFO)


def _request(purpose: Purpose) -> RunRequest:
    try:
        request = RunRequest.from_json(os.environ[ENV_REQUEST])
    except KeyError as error:
        raise RequestError(
            f"The environment variable {ENV_REQUEST} holds the run's request; it is not set."
        ) from error
    except ValidationError as error:
        path, problem = first_violation(error)  # without the input, which may be confidential
        what = f"{'.'.join(path)}: {problem}"
        raise RequestError(f"{ENV_REQUEST} holds no request that this image understands: {what}") from error
    except DecodeError as error:
        raise RequestError(f"{ENV_REQUEST} holds no JSON: {error}") from error
    if request.purpose is not purpose:
        raise RequestError(f"{ENV_REQUEST} asks for a {request.purpose}, the command line for a {purpose}.")
    return request


def _run(request: RunRequest) -> None:
    # Objects of imported modules never become garbage: collecting garbage during imports takes a tenth of a
    # check's start.
    gc.disable()
    learn_secrets(secrets_of(request, os.environ))
    # Imported here, after main() has set the environment for MLflow; a check needs no training code, and a
    # promotion no data science at all.
    from selfheal_jobs.delivery.status_patch import PromotionSink, open_report_sink  # noqa: PLC0415

    sink = open_report_sink(request.monitor)
    run: Callable[[RunRequest, PromotionSink, Callable[[], datetime]], None]
    if request.purpose is Purpose.CHECK:
        from selfheal_jobs.check.malloc import reuse_freed_memory  # noqa: PLC0415
        from selfheal_jobs.check.run import run_check as run  # noqa: PLC0415

        reuse_freed_memory()
    elif request.purpose is Purpose.PROMOTE:
        from selfheal_jobs.promote.run import run_promote as run  # noqa: PLC0415
    else:
        from selfheal_jobs.retrain.run import run_retrain as run  # noqa: PLC0415
    gc.freeze()
    gc.enable()
    run(request, sink, lambda: datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
