import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.allowed_uris import is_allowed, is_pattern


@pytest.mark.parametrize(
    ("uri", "pattern"),
    [
        ("s3://lake/churn/live/", "s3://lake/*"),
        ("S3://lake/churn/*.csv", "s3://lake/*"),
        ("https://data.example.com/a.csv?sig=%2f", "https://data.example.com/*"),
        ("HTTPS://Data.Example.com:443/a.csv", "https://data.example.com/*"),
        ("https://eu.data.example.com/a.csv", "https://*.example.com/*"),
        ("http://mlflow.mlops:5000", "http://mlflow.mlops:5000"),
        ("http://mlflow.mlops:5000", "http://mlflow.mlops:5000/*"),
        ("http://mlflow.mlops:5000/base", "http://mlflow.mlops:*/*"),
        ("/data/live.csv", "/data/*"),
        ("file:///data/live.csv", "/data/*"),
        ("/data/live.csv", "file:///data/*.csv"),
        ("gs://lake/a..b/x.csv", "gs://lake/*"),
        ("postgresql://warehouse:5432/sales", "postgresql://warehouse:5432/*"),
    ],
)
def test_an_address_that_a_pattern_matches_is_permitted(uri: str, pattern: str) -> None:
    """A * is any text; schemes and hosts have no case."""
    assert is_allowed(uri, ["none://at/all", pattern])


@pytest.mark.parametrize(
    ("uri", "pattern"),
    [
        ("s3://lake2/churn", "s3://lake/*"),
        ("http://data.example.com/a.csv", "https://data.example.com/*"),
        ("https://data.example.com.evil.test/a.csv", "https://data.example.com/*"),
        ("https://evil.test/data.example.com/a.csv", "https://*data.example.com/*"),
        ("https://evil.test/.example.com/x", "https://*.example.com/*"),
        ("https://evil.test?.example.com/x", "https://*.example.com/*"),
        ("https://evil.test#.example.com/x", "https://*.example.com/*"),
        ("https://evil.test\\.example.com/x", "https://*.example.com/*"),
        ("https://data.example.com@evil.test/x", "https://data.example.com*/*"),
        ("https://data.example.com:8443/x", "https://data.example.com/*"),
        ("https://data.example.com/team-a/../team-b/x", "https://data.example.com/team-a/*"),
        ("https://data.example.com/team-a/%2e%2E/team-b/x", "https://data.example.com/team-a/*"),
        ("https://data.example.com/team-a/%252e%252e/team-b/x", "https://data.example.com/team-a/*"),
        ("https://data.example.com/team-a/..%5cteam-b/x", "https://data.example.com/team-a/*"),
        ("/data/../etc/passwd", "/data/*"),
        ("/data", "/data/*"),
        ("s3://lake/team-[ab]/x", "s3://lake/team-a/*"),
        ("sql://sales", "s3://*"),
    ],
)
def test_an_address_that_no_pattern_matches_is_not(uri: str, pattern: str) -> None:
    """Also one that a program may read as another address."""
    assert not is_allowed(uri, [pattern])


@given(uri=st.text(max_size=60))
def test_without_patterns_every_address_is_permitted(uri: str) -> None:
    """The platform team restricts nothing."""
    assert is_allowed(uri, [])


@given(rest=st.text(max_size=40))
def test_whatever_follows_a_permitted_folder_stays_in_it(rest: str) -> None:
    """No spelling of the rest makes another host or a folder above."""
    if is_allowed(f"https://lake.test/team-a/{rest}", ["https://lake.test/team-a/*"]):
        assert ".." not in re.split(r"[?#]", rest, maxsplit=1)[0].split("/")


@given(host=st.text(max_size=40))
def test_a_pattern_of_one_host_matches_no_other(host: str) -> None:
    """Whatever is before and after it."""
    if is_allowed(f"https://{host}/x", ["https://lake.test/*"]):
        assert host.lower().partition("/")[0].partition("?")[0].partition("#")[0] in {
            "lake.test",
            "lake.test:443",
        }


def test_a_pattern_has_a_scheme_or_is_a_path() -> None:
    """Anything else would match nothing."""
    assert [is_pattern(each) for each in ("s3://lake/*", "/data/*", "*", "lake/*")] == [
        True,
        True,
        False,
        False,
    ]
