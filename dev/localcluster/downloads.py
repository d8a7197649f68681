"""Downloads the official programs and verifies them against the checksums pinned here.

The checksums come from other places than the files: Kubernetes' from CHANGELOG-1.36.md in its source
repository, etcd's from roles/kubespray_defaults/vars/main/checksums.yml in Kubespray's. So a host that
hands out something else is noticed.
"""

import hashlib
import http.client
import platform
import shutil
import ssl
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO, Final

from localcluster.errors import DownloadError
from localcluster.gobuild import KUBERNETES_PROGRAMS, KUBERNETES_VERSION

# The version that Kubernetes 1.36.0 itself requires. A newer one would resolve, but raise the modules that
# kube-apiserver is built with (gRPC, OpenTelemetry): built programs would no longer be the downloaded ones.
ETCD_VERSION: Final = "v3.6.8"

CONNECT_SECONDS: Final = 5  # without network access, the build should start soon
READ_SECONDS: Final = 30
REPORT_EVERY_SECONDS: Final = 5
CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Pin:
    """One archive: its URL, its checksum, and the files to extract."""

    url: str
    algorithm: str
    digest: str
    members: tuple[str, ...]

    @property
    def name(self) -> str:
        """The archive's file name."""
        return self.url.rpartition("/")[2]


def _kubernetes(architecture: str, sha512: str) -> Pin:
    url = f"https://dl.k8s.io/{KUBERNETES_VERSION}/kubernetes-server-linux-{architecture}.tar.gz"
    return Pin(url, "sha512", sha512, tuple(f"kubernetes/server/bin/{name}" for name in KUBERNETES_PROGRAMS))


def _etcd(architecture: str, sha256: str) -> Pin:
    folder = f"etcd-{ETCD_VERSION}-linux-{architecture}"
    url = f"https://github.com/etcd-io/etcd/releases/download/{ETCD_VERSION}/{folder}.tar.gz"
    return Pin(url, "sha256", sha256, (f"{folder}/etcd",))


# By the machine's architecture as Linux reports it. The small archive is first, so that an unreachable host
# is noticed before the large one is downloaded.
PINS: Final = {
    "x86_64": (
        _etcd("amd64", "cf9cfe91a4856cb90eed9c99e6aee4b708db2c7888b88a6f116281f04b0ea693"),
        _kubernetes(
            "amd64",
            "1c64da92575451c2c7ff97c79b772e603995f8e76da1371a6b0746aaa27b65dc"
            "e81c4d734cbb50f40e71486a8e08df36f14e12974f97d4d29e41f23a172a6a25",
        ),
    ),
    "aarch64": (
        _etcd("arm64", "438f56a700d17ce761510a3e63e6fa5c1d587b2dd4d7a22c179c09a649366760"),
        _kubernetes(
            "arm64",
            "7f95e451baedd9368a2fa637afa84c9ed1b958736540ca27a379e5e292e1a10c"
            "5d9a29539f833047574bf5d3b6f907f32dee5735acecc11aa4686f078108dcf8",
        ),
    ),
}


def pins_of_this_machine() -> Sequence[Pin]:
    """Return the pins for this machine's architecture.

    Raises:
        DownloadError: if nothing is.
    """
    machine = platform.machine()
    if machine not in PINS:
        raise DownloadError(f"none are pinned for {machine}")
    return PINS[machine]


def download_into(folder: Path, say: Callable[[str], None], pins: Sequence[Pin] | None = None) -> None:
    """Put the programs into a folder: all of them, or none.

    Goes through the proxies of the environment and trusts whom the system trusts (or `SSL_CERT_FILE`).

    Raises:
        DownloadError: if a host cannot be reached, or what it sends is not what was pinned.
    """
    pins = pins_of_this_machine() if pins is None else pins
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for pin in pins:
            try:
                _fetch(pin, Path(scratch), say)
            except (OSError, http.client.HTTPException, tarfile.TarError) as error:
                raise DownloadError(f"{pin.url}: {_reason(error)}") from error
        for program in Path(scratch).iterdir():
            program.rename(folder / program.name)


def _fetch(pin: Pin, folder: Path, say: Callable[[str], None]) -> None:
    opener = urllib.request.build_opener(_HTTPSHandler)
    with (
        opener.open(pin.url, timeout=CONNECT_SECONDS) as response,
        tempfile.TemporaryFile(dir=folder) as archive,
    ):
        digest = _copy(response, archive, pin, say)
        if digest != pin.digest:
            raise DownloadError(f"{pin.url} is refused: expected {pin.algorithm} {pin.digest}, got {digest}")
        archive.seek(0)
        _extract(archive, pin, folder)


def _copy(response: HTTPResponse, archive: IO[bytes], pin: Pin, say: Callable[[str], None]) -> str:
    """Write the response into a file; returns its digest."""
    digest = hashlib.new(pin.algorithm)
    length = response.headers.get("Content-Length")
    total = f" of {_megabytes(int(length))}" if length else ""
    say(f"downloading {pin.url}")
    reported = time.monotonic()
    while chunk := response.read(CHUNK_BYTES):
        digest.update(chunk)
        archive.write(chunk)
        if time.monotonic() - reported >= REPORT_EVERY_SECONDS:
            say(f"{pin.name}: {_megabytes(archive.tell())}{total} MB")
            reported = time.monotonic()
    return digest.hexdigest()


def _extract(archive: IO[bytes], pin: Pin, folder: Path) -> None:
    """Write the wanted members as executables, each under the last part of its name."""
    missing = set(pin.members)
    with tarfile.open(fileobj=archive, mode="r:gz") as tar:
        # In the archive's own order, and no further than needed: going back in it means
        # decompressing it from the start.
        for member in tar:
            content = tar.extractfile(member) if member.name in missing and member.isfile() else None
            if content is None:
                continue
            # The archive names no path: `../` in a member's name leads nowhere.
            program = folder / PurePosixPath(member.name).name
            with program.open("wb") as file:
                shutil.copyfileobj(content, file, CHUNK_BYTES)
            program.chmod(0o755)
            missing.remove(member.name)
            if not missing:
                return
    raise DownloadError(f"{pin.url} does not hold {', '.join(sorted(missing))}")


class _HTTPSConnection(http.client.HTTPSConnection):
    """Gives up soon on a host that cannot be reached, and later on one that is slow."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(READ_SECONDS)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    """urllib knows a single timeout only."""

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_HTTPSConnection, request, context=ssl.create_default_context())


def _reason(error: Exception) -> object:
    """Take urllib's wrapping off, which says nothing; HTTP's own errors say their code."""
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return error.reason
    return error


def _megabytes(count: int) -> int:
    return round(count / 1e6)
