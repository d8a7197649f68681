"""Environment variables by which others could change which programs a run starts or servers it reaches.

The policy selfheal-spec refuses them in a podTemplate. They also come from the keys of a Secret that
mlflow.secretRef names, and from an image: a run drops them before any library reads them. What the
interpreter itself and the dynamic linker read (PATH, PYTHON*, LD_*) has had its effect by then and is left.
"""

import os
import re
from collections.abc import MutableMapping
from typing import Final

_DROPPED: Final = re.compile(
    r"PG[A-Z]+"  # libpq: PGHOSTADDR, PGSERVICEFILE and others replace the host that was permitted
    r"|GIT_.*"  # GIT_PYTHON_GIT_EXECUTABLE, GIT_SSH_COMMAND and others name programs
    r"|(OPENSSL|KRB5|SASL|ODBC|ADBC_|OMP_TOOL).*|SSLKEYLOGFILE"  # libraries; keys of connections in a file
    r"|BASH_ENV|BASH_FUNC_.*|ENV|BROWSER"  # what a shell runs first, and the program that opens a page
    r"|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS"  # the C library's
    r"|AWS_(CONFIG_FILE|SHARED_CREDENTIALS_FILE|DATA_PATH)|BOTO_CONFIG|FSSPEC_.*"  # programs; other servers
    r"|GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES|CLOUDSDK_.*|AZURE_CONFIG_DIR"  # programs for credentials
    r"|LOKY_PICKLER|MPL.*|MATPLOTLIBRC"  # modules that are imported
    r"|MLFLOW_(TRACKING_URI|REGISTRY_URI|CONDA_.*|ENV_ROOT)"  # another server; programs of environments
)
_INSTEAD: Final = {
    "GIT_PYTHON_GIT_EXECUTABLE": "/bin/false",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""No git, wherever PATH leads; and no ~/.aws, as HOME is /tmp, where a volume may be mounted."""


def drop_foreign_variables(environment: MutableMapping[str, str]) -> None:
    """Remove the variables from an environment, and set those that have a harmless value."""
    for name in [name for name in environment if _DROPPED.fullmatch(name)]:
        del environment[name]
    environment.update(_INSTEAD)
