"""Amazon S3, and every object store with an S3-compatible API."""

import re
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from pyarrow import fs

from selfheal_jobs.sources.credentials import lacks, secret_values, setting
from selfheal_jobs.sources.failures import Failures
from selfheal_jobs.sources.file_store import ATTEMPTS, CONNECT_SECONDS, SILENCE_SECONDS, FileStore
from selfheal_jobs.sources.permitted import require_endpoint
from selfheal_jobs.sources.place import Place


def _connect(place: Place) -> tuple[fs.FileSystem, str]:
    return _client(place, bucket=place.path.partition("/")[0]), place.path


def _client(place: Place, *, bucket: str) -> fs.FileSystem:
    keys = _keys(place)
    endpoint = setting(place, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    address = urlsplit(endpoint or "https://amazonaws.com")
    if endpoint:
        require_endpoint(place, endpoint, address.hostname or "")
    region = setting(place, "AWS_REGION", "AWS_DEFAULT_REGION")
    if region is None:
        region = "us-east-1" if endpoint else fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        **keys,
        region=region,
        scheme=address.scheme,
        endpoint_override=address.netloc if endpoint else None,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=SILENCE_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        proxy_options=_proxy(address.scheme, address.hostname or ""),
    )


def _keys(place: Place) -> dict[str, str | None]:
    """Return the Secret's keys. Without a Secret AWS's own chain applies: environment, web identity, node."""
    if place.secret is None:
        return {}
    values = secret_values(place)
    wanted = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if missing := [key for key in wanted if not values.get(key)]:
        raise lacks(place, *missing)
    return {
        "access_key": values["AWS_ACCESS_KEY_ID"],
        "secret_key": values["AWS_SECRET_ACCESS_KEY"],
        "session_token": values.get("AWS_SESSION_TOKEN"),
    }


def _proxy(scheme: str, host: str) -> str | None:
    proxy = urllib.request.getproxies().get(scheme)
    return None if proxy is None or urllib.request.proxy_bypass(host) else proxy


SOURCE: Final = FileStore(
    connect=_connect,
    failures=Failures(
        code=re.compile(r"AWS Error (?P<code>[A-Z_]+)(?: \(HTTP status (?P<status>\d+)\))? during"),
        denied=r"ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN_ID"
        r"|INVALID_SIGNATURE|MISSING_AUTHENTICATION_TOKEN|UNRECOGNIZED_CLIENT|REQUEST_EXPIRED"
        r"|REQUEST_TIME_TOO_SKEWED|ExpiredToken|InvalidToken",
        absent="NO_SUCH_BUCKET|NO_SUCH_KEY|RESOURCE_NOT_FOUND",
        unreachable="NETWORK_CONNECTION|REQUEST_TIMEOUT|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE"
        "|THROTTLING",
    ),
)
