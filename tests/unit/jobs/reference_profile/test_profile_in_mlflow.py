"""Where MLflow is away, and where there is only a web server's word for what a file is."""

import socket
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.reference_profile import opening
from selfheal_jobs.reference_profile.beside import Beside
from selfheal_jobs.reference_profile.in_mlflow import InMLflow
from selfheal_jobs.sources.opening import locate
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.v1alpha1.dataset import DataSource
from support.builders.profiled_checks import by_profile, checked, profiles, request_in, stored, told


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reference on a volume that is mounted read-only."""
    monkeypatch.setattr(opening, "LEAST_BYTES_FOR_MLFLOW", 0)
    monkeypatch.setattr(Beside, "is_writable", lambda _: False)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=500), "plan": ["a", "b"] * 250, "label": [0, 1] * 250})
    stored(frame, tmp_path / "reference.parquet")
    stored(frame, tmp_path / "current.parquet")
    return tmp_path


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_check_does_without_an_mlflow_that_refuses(folder: Path) -> None:
    """The verdict is that of any check; nothing is kept anywhere."""
    request = request_in(folder)

    first, second = checked(request), checked(request)

    assert second.problem is None
    assert not by_profile(second)
    assert told(request, first) == told(request, second)
    assert profiles(folder) == []


def test_a_check_does_not_wait_long_for_an_mlflow_that_is_silent(folder: Path, silent: str) -> None:
    """Two seconds, once before it looks."""
    request = request_in(folder, mlflow={"trackingURI": silent})

    started = time.monotonic()
    assert checked(request).problem is None

    assert time.monotonic() - started < 10


def test_a_small_reference_is_worth_no_request(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read sooner than MLflow answers."""
    monkeypatch.setattr(opening, "LEAST_BYTES_FOR_MLFLOW", 8 << 20)
    monkeypatch.setattr(InMLflow, "read", lambda _: pytest.fail("MLflow was asked"))

    assert checked(request_in(folder)).problem is None


class Handler(SimpleHTTPRequestHandler):
    """Sends the ETag that the test sets."""

    etag = ""

    def end_headers(self) -> None:
        """Add it."""
        if self.etag:
            self.send_header("ETag", self.etag)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    """A web server over the folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("etag", "is_told"), [('"a"', True), ("", False), ('W/"a"', False)])
def test_a_file_of_a_web_server_is_told_by_its_etag(
    web: str, etag: str, is_told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by a weak one, nor by its date: both stay the same over a change."""
    monkeypatch.setattr(Handler, "etag", etag)
    place = Place(source=DataSource(uri=f"{web}/reference.parquet"), field="f")

    found = locate(place).identity()

    assert (found is not None) is is_told
    monkeypatch.setattr(Handler, "etag", etag.replace("a", "b"))
    assert found is None or locate(place).identity() != found


def test_a_file_of_a_web_server_is_known_by_its_profile(
    web: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as its ETag stays, nothing is fetched that the profile holds."""
    kept: dict[str, bytes] = {}
    monkeypatch.setattr(Handler, "etag", '"a"')
    monkeypatch.setattr(InMLflow, "read", lambda self: kept.get(self.tag))
    monkeypatch.setattr(InMLflow, "write", lambda self, document: kept.update({self.tag: document}))
    frame = pd.DataFrame({"plan": ["a", "b"] * 250, "label": [0, 1] * 250})
    stored(frame, folder / "reference.parquet")
    sides = {
        "reference": {"uri": f"{web}/reference.parquet"},
        "current": {"uri": str(folder / "current.parquet")},
    }
    request = request_in(folder, dataset=sides | {"minRows": 1})
    before = checked(request)
    (folder / "reference.parquet").write_bytes(bytes(len((folder / "reference.parquet").read_bytes())))

    after = checked(request)

    assert by_profile(after)
    assert told(request, after) == told(request, before)
    monkeypatch.setattr(Handler, "etag", '"b"')
    assert checked(request).problem is not None
