"""The official programs are taken if they are the pinned ones, and built if not."""

import hashlib
import io
import re
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localcluster.binaries import download_or_build
from localcluster.downloads import ETCD_VERSION, PINS, Pin, download_into, pins_of_this_machine
from localcluster.errors import DownloadError
from localcluster.gobuild import KUBERNETES_VERSION, MODULES, PROGRAMS
from localcluster.pki import Authority, Identity

PROGRAM = b"#!/bin/sh\necho it runs\n"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without telling of it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


class StallingHandler(QuietHandler):
    """Promises more than it sends until it is told to stop."""

    stop = threading.Event()

    def do_GET(self) -> None:
        """Send the first byte of two."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"1")
        self.stop.wait(10)


@contextmanager
def serving(
    folder: Path, handler: type[QuietHandler] = QuietHandler, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """An HTTP server on the folder, by its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        server.daemon_threads = False
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server on `tmp_path/site`, which is reached directly."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "site").mkdir()
    with serving(tmp_path / "site") as address:
        yield address


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An empty folder to download into."""
    folder = tmp_path / "outer" / "target"
    folder.mkdir(parents=True)
    return folder


def publish(site: str, folder: Path, name: str, *members: str) -> Pin:
    """Put an archive of programs on the server; returns the pin of all its members."""
    archive = folder / "site" / name
    with tarfile.open(archive, "w:gz") as tar:
        for member in members:
            info = tarfile.TarInfo(member)
            info.size = len(PROGRAM)
            tar.addfile(info, io.BytesIO(PROGRAM))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return Pin(f"{site}/{name}", "sha256", digest, members)


def files_below(folder: Path) -> set[str]:
    """All files, by their path within the folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_programs_are_downloaded_and_run(site: str, tmp_path: Path, target: Path) -> None:
    """What is pinned of each archive is there, ready to run, and nothing else."""
    first = publish(site, tmp_path, "first.tar.gz", "etcd-v1/README.md", "etcd-v1/etcd", "etcd-v1/etcdctl")
    second = publish(site, tmp_path, "second.tar.gz", "kubernetes/server/bin/kubectl")

    download_into(target, print, [replace(first, members=("etcd-v1/etcd",)), second])

    assert files_below(target) == {"etcd", "kubectl"}
    assert [path.name for path in target.iterdir() if path.is_dir()] == []
    for name in ("etcd", "kubectl"):
        run = subprocess.run([target / name], capture_output=True, check=True)
        assert run.stdout == b"it runs\n"


def test_wrong_digest_is_refused(site: str, tmp_path: Path, target: Path) -> None:
    """The error tells both digests; of the archive that was right nothing is left either."""
    right = publish(site, tmp_path, "right.tar.gz", "bin/etcd")
    wrong = publish(site, tmp_path, "wrong.tar.gz", "bin/kubectl")

    with pytest.raises(DownloadError) as refusal:
        download_into(target, print, [right, replace(wrong, digest="0" * 64)])

    assert f"wrong.tar.gz is refused: expected sha256 {'0' * 64}, got {wrong.digest}" in str(refusal.value)
    assert list(target.iterdir()) == []


def test_missing_member_is_refused(site: str, tmp_path: Path, target: Path) -> None:
    """An archive without one of its programs is as good as none."""
    pin = publish(site, tmp_path, "some.tar.gz", "bin/kubectl")

    with pytest.raises(DownloadError, match=r"some\.tar\.gz does not hold bin/kube-scheduler$"):
        download_into(target, print, [replace(pin, members=("bin/kubectl", "bin/kube-scheduler"))])

    assert list(target.iterdir()) == []


def test_link_is_not_a_program(site: str, tmp_path: Path, target: Path) -> None:
    """A link of a program's name is not followed."""
    archive = tmp_path / "site" / "link.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        link = tarfile.TarInfo("bin/etcd")
        link.type, link.linkname = tarfile.SYMTYPE, "/bin/sh"
        tar.addfile(link)
    pin = Pin(
        f"{site}/link.tar.gz", "sha256", hashlib.sha256(archive.read_bytes()).hexdigest(), ("bin/etcd",)
    )

    with pytest.raises(DownloadError, match="does not hold bin/etcd"):
        download_into(target, print, [pin])


@pytest.mark.parametrize("wanted", [("bin/etcd",), ("bin/etcd", "../../escaped")])
def test_nothing_is_written_outside(site: str, tmp_path: Path, target: Path, wanted: tuple[str, ...]) -> None:
    """A member whose name climbs out of the folder is passed over; even if pinned it stays inside."""
    pin = publish(site, tmp_path, "climbing.tar.gz", "../../escaped", "bin/etcd")

    download_into(target, print, [replace(pin, members=wanted)])

    inside = {f"outer/target/{member.rpartition('/')[2]}" for member in wanted}
    assert files_below(tmp_path) == {"site/climbing.tar.gz", *inside}


def test_what_is_no_archive_is_refused(site: str, tmp_path: Path, target: Path) -> None:
    """A pinned file that cannot be read as an archive is told as such."""
    (tmp_path / "site" / "page.tar.gz").write_text("<html>")
    digest = hashlib.sha256(b"<html>").hexdigest()

    with pytest.raises(DownloadError, match="not a gzip file"):
        download_into(target, print, [Pin(f"{site}/page.tar.gz", "sha256", digest, ("etcd",))])


def test_server_down_means_building(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says why, and the builder gets an empty folder."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "site").mkdir()
    with serving(tmp_path / "site") as site:
        pin = publish(site, tmp_path, "right.tar.gz", "bin/etcd")
    said: list[str] = []
    found: list[list[Path]] = []

    def build(folder: Path, say: object) -> None:
        found.append(list(folder.iterdir()))
        (folder / "built").touch()

    download_or_build(target, said.append, builder=build, pins=[pin])

    reason = f"{pin.url}: [Errno 111] Connection refused"
    assert said == [f"the official programs cannot be downloaded ({reason}); building them from source"]
    assert found == [[]]
    assert files_below(target) == {"built"}


def test_missing_archive_is_told_with_its_code(site: str, target: Path) -> None:
    """What the server answers is passed on."""
    with pytest.raises(DownloadError, match=r"gone\.tar\.gz: HTTP Error 404: File not found$"):
        download_into(target, print, [Pin(f"{site}/gone.tar.gz", "sha256", "0" * 64, ("etcd",))])


def test_a_refused_archive_is_told_and_the_programs_are_built(
    site: str, tmp_path: Path, target: Path
) -> None:
    """Nothing of the refused archive is in the builder's way."""
    pin = replace(publish(site, tmp_path, "wrong.tar.gz", "bin/etcd"), digest="0" * 64)
    said: list[str] = []

    download_or_build(target, said.append, builder=lambda folder, _: (folder / "built").touch(), pins=[pin])

    assert "is refused: expected sha256" in said[-1]
    assert said[-1].endswith("building them from source")
    assert files_below(target) == {"built"}


def test_downloaded_programs_are_not_built(site: str, tmp_path: Path, target: Path) -> None:
    """The builder is for machines that cannot download."""
    pin = publish(site, tmp_path, "right.tar.gz", "bin/etcd")

    def build(folder: Path, say: object) -> None:
        raise AssertionError(f"built into {folder}")

    download_or_build(target, print, builder=build, pins=[pin])

    assert files_below(target) == {"etcd"}


def test_progress_is_told(site: str, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many of how many megabytes are there, each few seconds."""
    monkeypatch.setattr("localcluster.downloads.REPORT_EVERY_SECONDS", 0)
    monkeypatch.setattr("localcluster.downloads.CHUNK_BYTES", 1_000_000)
    (tmp_path / "site" / "big.tar.gz").write_bytes(bytes(2_000_000))
    said: list[str] = []

    with pytest.raises(DownloadError, match="is refused"):
        download_into(target, said.append, [Pin(f"{site}/big.tar.gz", "sha256", "0" * 64, ("etcd",))])

    assert said == [f"downloading {site}/big.tar.gz", "big.tar.gz: 1 of 2 MB", "big.tar.gz: 2 of 2 MB"]


@pytest.fixture
def server_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for the server, by an authority in `tmp_path/ca.crt` that nobody trusts yet."""
    authority = Authority("downloads")
    authority.write(tmp_path / "ca.crt")
    authority.issue(Identity(user="server", hosts=["127.0.0.1"]), tmp_path / "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "site").mkdir()
    return context


def test_system_trust_decides(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext
) -> None:
    """A host with an unknown certificate is not asked for anything; SSL_CERT_FILE makes it known."""
    with serving(tmp_path / "site", tls=server_tls) as site:
        pin = publish(site, tmp_path, "right.tar.gz", "bin/etcd")
        with pytest.raises(DownloadError, match="certificate verify failed"):
            download_into(target, print, [pin])

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
        download_into(target, print, [pin])

    assert files_below(target) == {"etcd"}


def test_stalled_download_is_given_up(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext
) -> None:
    """A host that falls silent halfway does not keep the cluster from starting."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    monkeypatch.setattr("localcluster.downloads.CONNECT_SECONDS", 60)
    monkeypatch.setattr("localcluster.downloads.READ_SECONDS", 0.1)
    monkeypatch.setattr(StallingHandler, "stop", threading.Event())
    with serving(tmp_path / "site", StallingHandler, server_tls) as site:
        pin = Pin(f"{site}/slow.tar.gz", "sha256", "0" * 64, ("etcd",))
        with pytest.raises(DownloadError, match="timed out"):
            download_into(target, print, [pin])
        StallingHandler.stop.set()


def test_environments_proxy_is_used(
    site: str, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a proxy in the environment the host itself is not asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setenv("no_proxy", "")
    pin = publish(site, tmp_path, "right.tar.gz", "bin/etcd")

    with pytest.raises(DownloadError, match="Connection refused"):
        download_into(target, print, [pin])


def test_other_machines_build(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is pinned for other architectures than the two."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(DownloadError, match="none are pinned for riscv64"):
        download_into(target, print)


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_pins_of_a_machine(monkeypatch: pytest.MonkeyPatch, machine: str, architecture: str) -> None:
    """Both architectures get all programs, of their own kind and over https."""
    monkeypatch.setattr("platform.machine", lambda: machine)
    pins = pins_of_this_machine()

    assert {member.rpartition("/")[2] for pin in pins for member in pin.members} == set(PROGRAMS)
    assert all(pin.url.startswith("https://") for pin in pins)
    assert all(pin.url.endswith(f"-linux-{architecture}.tar.gz") for pin in pins)


@pytest.mark.parametrize("pin", [pin for pins in PINS.values() for pin in pins], ids=lambda pin: pin.name)
def test_pins_have_whole_digests(pin: Pin) -> None:
    """A digest that lost a character would never be met, and the programs always be built."""
    assert re.fullmatch(r"[0-9a-f]+", pin.digest)
    assert len(pin.digest) == 2 * hashlib.new(pin.algorithm).digest_size


def test_built_programs_are_of_the_downloaded_versions() -> None:
    """go.mod names the versions that the pins name; Kubernetes' own modules are its minor and patch."""
    versions = dict(
        re.findall(r"^\t(\S+) (v\S+) // indirect$", (MODULES / "go.mod").read_text(), re.MULTILINE)
    )
    staging = re.findall(
        r"^\tk8s\.io/\S+ => k8s\.io/\S+ (v\S+)$", (MODULES / "go.mod").read_text(), re.MULTILINE
    )

    assert versions["k8s.io/kubernetes"] == KUBERNETES_VERSION
    assert versions["go.etcd.io/etcd/server/v3"] == ETCD_VERSION
    assert set(staging) == {KUBERNETES_VERSION.replace("v1.", "v0.", 1)}
