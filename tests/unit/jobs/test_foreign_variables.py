import os
import re
from pathlib import Path

import pytest
import yaml

from selfheal_jobs.foreign_variables import drop_foreign_variables

POLICY = Path(__file__).resolve().parents[3] / "manifests" / "policies" / "spec_policy.yaml"

FOREIGN = (
    *("GIT_SSH_COMMAND", "GIT_EXEC_PATH", "BASH_ENV", "ENV", "BROWSER", "LOKY_PICKLER", "MPLBACKEND"),
    *("PGHOST", "PGHOSTADDR", "PGSERVICEFILE", "PGPASSFILE", "PGSYSCONFDIR", "KRB5_CONFIG", "HOSTALIASES"),
    *("OPENSSL_CONF", "OPENSSL_MODULES", "SASL_PATH", "ODBCSYSINI", "ADBC_DRIVER_PATH", "SSLKEYLOGFILE"),
    *("GCONV_PATH", "GLIBC_TUNABLES", "AWS_DATA_PATH", "BOTO_CONFIG", "AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG"),
    *("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "MLFLOW_REGISTRY_URI", "MLFLOW_CONDA_HOME", "FSSPEC_S3"),
)
REPLACED = ("GIT_PYTHON_GIT_EXECUTABLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
USERS = (
    *("HTTPS_PROXY", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "TZ", "TMPDIR"),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AZURE_CLIENT_ID"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_AUTH", "MLFLOW_WORKSPACE"),
    *("MLFLOW_S3_ENDPOINT_URL", "OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "MALLOC_ARENA_MAX", "PG"),
    *("SSL_CERT_FILE", "ENVIRONMENT"),
)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_variable_that_names_programs_or_servers_is_dropped(name: str) -> None:
    """Keys of a Secret become variables of a run, whatever their names."""
    environment = {name: "/data/evil"}
    drop_foreign_variables(environment)
    assert "/data/evil" not in environment.values()


@pytest.mark.parametrize("name", REPLACED)
def test_a_variable_whose_absence_would_lead_elsewhere_is_set(name: str) -> None:
    """To a git of PATH, and to files below HOME, which is /tmp."""
    for before in ({}, {name: "/data/evil"}):
        environment = dict(before)
        drop_foreign_variables(environment)
        assert environment[name] in {os.devnull, "/bin/false"}


@pytest.mark.parametrize("name", USERS)
def test_a_variable_of_the_users_stays(name: str) -> None:
    """Proxies, regions, identities and logins."""
    environment = {name: "x"}
    drop_foreign_variables(environment)
    assert environment[name] == "x"


def test_the_policy_denies_what_a_run_drops_and_admits_what_it_keeps() -> None:
    """The author of a monitor then reads why, instead of a variable that has no effect."""
    variables = next(yaml.safe_load_all(POLICY.read_text()))["spec"]["variables"]
    (expression,) = (each["expression"] for each in variables if each["name"] == "deniedEnv")
    denied = re.compile(expression.strip("'"))
    assert [name for name in (*FOREIGN, *REPLACED) if not denied.search(name)] == []
    assert [name for name in USERS if denied.search(name)] == []
