"""The sources against the addresses that the API knows."""

import pkgutil

import pytest

from selfheal_jobs.sources import types
from selfheal_jobs.sources.catalogue import source_of
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.v1alpha1.dataset import SOURCE_TYPES, DataSource


def place(uri: str) -> Place:
    """Return a place at an address."""
    return Place(source=DataSource(uri=uri), field="spec.dataset.current.uri")


def test_every_type_of_address_has_one_source_and_every_source_an_address() -> None:
    """The API's list is the only one; a module that it does not name would never be used."""
    modules = {module.name for module in pkgutil.iter_modules(types.__path__)}

    assert modules == {each.name for each in SOURCE_TYPES}


@pytest.mark.parametrize("uri", ["/data", *(f"{each.schemes[-1]}://a" for each in SOURCE_TYPES)])
def test_a_source_says_of_any_error_who_has_to_act(uri: str) -> None:
    """What it does not know is about the data, and names the field."""
    found = source_of(place(uri)).explain(place(uri), PermissionError("no"))

    assert found.reason == "DataAccessDenied"
    assert str(found).startswith("spec.dataset.current.uri: access is denied")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/data/a://b.csv", "/data/a://b.csv"),
        ("file:///data/b.csv", "/data/b.csv"),
        ("S3://lake/b.csv", "lake/b.csv"),
    ],
)
def test_a_file_system_is_asked_for_the_address_without_its_scheme(uri: str, path: str) -> None:
    """Only a scheme that is known is one."""
    assert place(uri).path == path
