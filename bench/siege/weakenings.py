"""Takes guards of a run away, in the process that calls it: one function for each guard.

Imports are inside, so that a run imports only what it needs.
"""

# ruff: noqa: PLC0415, SLF001 - as said above; and what is exchanged are the private parts of the product
# mypy: disable-error-code="attr-defined,assignment,misc,method-assign"

import os
from collections.abc import Callable, Mapping
from typing import Any, Final


def _nothing(*_: Any, **__: Any) -> None:
    """Take the place of a guard."""


def _exchange(owner: object, **parts: Any) -> None:
    """Exchange parts of a module or class. One that it lacks is an error: the guard would stay, unnoticed."""
    for name, value in parts.items():
        getattr(owner, name)
        setattr(owner, name, value)


def _landlock() -> None:
    from selfheal_jobs.isolation import isolated_model

    _exchange(isolated_model, _MODULE="siege.model_without_landlock")


def _seccomp() -> None:
    from selfheal_jobs.isolation import isolated_model

    _exchange(isolated_model, _MODULE="siege.model_without_seccomp")


def _environment() -> None:
    """Give a model the variables of its run."""
    from selfheal_jobs.isolation import isolated_model

    really = isolated_model._environment
    _exchange(isolated_model, _environment=lambda scratch: {**os.environ, **really(scratch)})


def _forged_errors() -> None:
    from selfheal_jobs import redaction
    from selfheal_jobs.delivery import masked_report
    from selfheal_jobs.isolation import isolated_model

    for module in (isolated_model, masked_report, redaction):
        _exchange(module, printable=str)


def _patience() -> None:
    """Shorten the half hour that a model may take, which no attack can wait for."""
    from selfheal_jobs.isolation import isolated_model

    isolated_model.isolated.__wrapped__.__defaults__ = (5.0,)


def _digests() -> None:
    from selfheal_jobs.retrain import champion

    _exchange(champion, _require_same=_nothing)


def _artifact_addresses() -> None:
    from selfheal_jobs.retrain import artifact_address, champion

    for module in (champion, artifact_address):
        _exchange(module, require_own=_nothing)


def _library_redirects() -> None:
    from selfheal_jobs.retrain import run

    really = run.configure_library

    def configure(*arguments: Any) -> None:
        really(*arguments)
        os.environ["MLFLOW_ALLOW_HTTP_REDIRECTS"] = "true"

    _exchange(run, configure_library=configure)


def _versions() -> None:
    from selfheal_jobs.tracking.model_registry import ModelRegistry

    _exchange(ModelRegistry, delete_version=_nothing)


def _credentials() -> None:
    """Let every address have one origin, which gets the credential."""
    from yarl import URL

    _exchange(URL, origin=lambda _: URL("http://everywhere"))


def _link_local() -> None:
    from selfheal_jobs.sources import permitted
    from selfheal_jobs.sources.types import web

    _exchange(web, require_address=_nothing, require_host=_nothing)
    _exchange(permitted, require_resolved=_nothing)


def _volumes() -> None:
    from selfheal_jobs.sources import mounted

    _exchange(mounted, is_outside=lambda _: False, outside=lambda _: iter(()))


def _patterns() -> None:
    from selfheal_jobs.sources import permitted

    _exchange(permitted, is_allowed=lambda *_: True)


def _downloads() -> None:
    from selfheal_jobs.sources.types import web

    _exchange(web, _most_bytes=lambda _: 1 << 40)


def _resolver() -> None:
    """Let a name stand for a link-local address, as whoever owns a domain can."""
    import socket

    really = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **options: Any) -> Any:
        return really("169.254.169.254" if host == "innocent.siege.test" else host, *arguments, **options)

    _exchange(socket, getaddrinfo=answer)


def _statements() -> None:
    """Send statements by the simple protocol, which takes several."""
    from sqlalchemy.engine import Connection

    _exchange(Connection, execution_options=lambda self, **_: self)


def _read_only() -> None:
    from selfheal_jobs.sources.types import sql

    sql._POSTGRES["options"] = sql._POSTGRES["options"].replace("read_only=on", "read_only=off")


def _sql_patience() -> None:
    """Shorten the hours that a statement may take."""
    from selfheal_jobs.sources.types import sql

    options = sql._POSTGRES["options"].replace(f"{sql._LONGEST_STATEMENT_SECONDS}s", "2s")
    sql._POSTGRES["options"] = options


def _masking() -> None:
    from selfheal_jobs import redaction

    _exchange(redaction, _forms_of=lambda _: ())


def _profiles() -> None:
    from selfheal_jobs.reference_profile.kept_column import KeptColumn

    _exchange(KeptColumn, _require_counts=_nothing, _require_values=_nothing)


WEAKENINGS: Final[Mapping[str, Callable[[], None]]] = {
    "landlock": _landlock,
    "seccomp": _seccomp,
    "environment": _environment,
    "forged-errors": _forged_errors,
    "digests": _digests,
    "artifact-addresses": _artifact_addresses,
    "library-redirects": _library_redirects,
    "versions": _versions,
    "credentials": _credentials,
    "link-local": _link_local,
    "volumes": _volumes,
    "patterns": _patterns,
    "downloads": _downloads,
    "statements": _statements,
    "read-only": _read_only,
    "masking": _masking,
    "profiles": _profiles,
    # No guards, but circumstances that a siege cannot have: impatience, and a domain of one's own.
    "patience": _patience,
    "sql-patience": _sql_patience,
    "resolver": _resolver,
}
