"""A real S3 server and a real PostgreSQL, each for all tests of this folder."""

from collections.abc import Iterator

import pytest

from database.postgres import PostgresServer
from objectstore.server import S3Server
from testbed.program import free_port


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server over a folder, with an account bob beside root; tests make their own buckets."""
    server = S3Server(tmp_path_factory.mktemp("s3"), port=free_port(), admin_port=free_port())
    try:
        server.start()
        server.add_account("bob", "bobs-password")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """An empty database whose owner has a password."""
    server = PostgresServer(port=free_port(), password="pa55-of-postgres")
    try:
        server.start()
        yield server
    finally:
        server.stop()
