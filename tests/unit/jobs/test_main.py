"""The entry point as the kubelet starts it: a process, its environment, its exit code."""

import os
import subprocess
import sys

import pytest

from selfheal_operator.api.names import ENV_REQUEST
from selfheal_operator.api.reasons import Purpose
from support.builders.run_requests import run_request

REQUEST = run_request(Purpose.CHECK).to_json()


def started(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the container's command to its end."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "selfheal_jobs", *arguments]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("purpose", "environment", "said"),
    [
        ("check", {}, "SELFHEAL_REQUEST holds the run's request; it is not set"),
        ("check", {ENV_REQUEST: "{}"}, "holds no request that this image understands"),
        ("retrain", {ENV_REQUEST: REQUEST}, "asks for a Check, the command line for a Retrain"),
    ],
)
def test_without_a_request_of_its_own_a_container_ends_with_two(
    purpose: str, environment: dict[str, str], said: str
) -> None:
    """The operator and the image do not fit together; one sentence, no stack trace."""
    run = started(purpose, **environment)

    assert run.returncode == 2
    assert said in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "usage: selfheal_jobs [-h] {check,retrain,promote}"),
        ([], 2, "the following arguments are required: purpose"),
        (["chec"], 2, "invalid choice: 'chec'"),
        (["check", "now"], 2, "unrecognized arguments: now"),
    ],
)
def test_the_command_line_explains_itself(arguments: list[str], code: int, said: str) -> None:
    """To who starts the image by hand, or with a command of their own."""
    run = started(*arguments)

    assert run.returncode == code
    assert said in run.stdout + run.stderr


def test_a_container_that_cannot_report_ends_with_one() -> None:
    """The Job shall fail, so that the report is looked for in its termination message."""
    run = started("check", **{ENV_REQUEST: REQUEST, "KUBECONFIG": "/nowhere/config"})

    assert run.returncode == 1
    assert "KUBECONFIG (/nowhere/config) does not lead to the API server" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


def test_an_error_that_is_reported_is_no_failure() -> None:
    """A Job that failed on the user's missing file would only be retried for nothing."""
    run = started("check", **{ENV_REQUEST: REQUEST})

    assert run.returncode == 0
    assert '"reason": "DataNotFound"' in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


def test_a_log_shows_no_secret_and_controls_no_terminal() -> None:
    """Neither of an error that is logged nor of one that ends the process, nor in a library's warning."""
    script = (
        "import sys, warnings; import selfheal_jobs.check.run as run\n"
        "def fails(*arguments):\n"
        "    warnings.warn('with hunter22')\n"
        "    warnings.warn('red: \\x1b[31m')\n"
        "    raise ValueError('hunter22 https://ann:pw@lake/x?sig=1')\n"
        "run.run_check = fails\n"
        "from selfheal_jobs.__main__ import main; sys.exit(main(['check']))"
    )
    secret = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    request = run_request(Purpose.CHECK, podTemplate={"env": [secret]}).to_json()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    environment = kept | {ENV_REQUEST: request, "TOKEN": "hunter22"}

    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert "ValueError: *** https://lake/x" in run.stdout
    assert "with ***" in run.stdout
    assert "red: ?[31m" in run.stdout
    assert "hunter22" not in run.stdout + run.stderr


@pytest.mark.parametrize(("purpose", "threads"), [("check", "1"), ("retrain", None)])
def test_a_check_has_no_threads_for_matrices_and_a_retraining_has(purpose: str, threads: str | None) -> None:
    """A check has none that are worth it."""
    script = (
        "import os, sys; from selfheal_jobs.__main__ import main; main(sys.argv[1:]); "
        "print(os.environ.get('OPENBLAS_NUM_THREADS'), 'numpy' in sys.modules)"
    )
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    run = subprocess.run(
        [sys.executable, "-c", script, purpose], env=kept, capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == f"{threads} False"


@pytest.mark.parametrize("purpose", ["check", "retrain"])
def test_a_run_has_no_variables_that_name_programs_or_servers(purpose: str) -> None:
    """The C libraries of its process see none either."""
    script = (
        "import ctypes, sys; from selfheal_jobs.__main__ import main; main(sys.argv[1:]); "
        "get = ctypes.CDLL(None).getenv; get.restype = ctypes.c_char_p; "
        "print([get(name) for name in (b'PGHOSTADDR', b'GIT_PYTHON_GIT_EXECUTABLE', b'AWS_CONFIG_FILE')])"
    )
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    evil = dict.fromkeys(("PGHOSTADDR", "GIT_PYTHON_GIT_EXECUTABLE", "AWS_CONFIG_FILE"), "/data/evil")
    run = subprocess.run(
        [sys.executable, "-c", script, purpose], env=kept | evil, capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == "[None, b'/bin/false', b'/dev/null']"
