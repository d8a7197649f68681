"""Which version is the present champion; the registry itself is tested in tests/integration."""

from datetime import UTC, datetime

import pytest

from selfheal_jobs.tracking.model_registry import Version
from selfheal_jobs.tracking.present_version import present_version
from support.builders.run_requests import run_request


class Registry:
    """A registry that holds these versions, the newest first; the aliased one by its number."""

    def __init__(
        self, versions: dict[str, str | None], alias: str | None = None, awaited: tuple[str, ...] = ()
    ) -> None:
        self._found = [
            Version("churn", number, datetime.now(UTC), {"selfheal.target": target} if target else {})
            for number, target in versions.items()
        ]
        for each in self._found:
            if each.version in awaited:
                each.tags["selfheal.promotion"] = "Awaited"  # type: ignore[index]  # it is a dict
        self._alias = alias

    def version_by_alias(self, name: str, alias: str) -> Version | None:
        """Return the version with the alias."""
        assert (name, alias) == ("churn", "champion")
        return next((each for each in self._found if each.version == self._alias), None)

    def newest_version(self, name: str) -> Version | None:
        """Return the newest version."""
        del name
        return next(iter(self._found), None)

    def versions(self, name: str) -> list[Version]:
        """Return all versions."""
        del name
        return self._found

    def versions_with_tags(self, name: str, tags: dict[str, str]) -> list[Version]:
        """Return the versions with these tags."""
        del name
        return [each for each in self._found if tags.items() <= each.tags.items()]


@pytest.mark.parametrize(
    ("case", "registry", "expected"),
    [
        ("nothing is registered", Registry({}), None),
        ("the newest, which somebody else made", Registry({"3": None, "2": None}), "3"),
        ("the one with the alias", Registry({"3": None, "2": None}, "2"), "2"),
        ("the alias is of another target", Registry({"3": "churned", "2": "revenue"}, "2"), "3"),
        ("the newest is of another target", Registry({"3": "revenue", "2": "churned"}), "2"),
        ("all are of another target", Registry({"3": "revenue", "2": "revenue"}, "2"), None),
        ("the newest waits for its promotion", Registry({"3": "churned", "2": None}, awaited=("3",)), "2"),
        ("the only one waits for its promotion", Registry({"1": "churned"}, awaited=("1",)), None),
        ("somebody has given it the alias by hand", Registry({"1": "churned"}, "1", awaited=("1",)), "1"),
    ],
)
def test_the_alias_comes_first_and_other_targets_do_not_count(
    case: str, registry: Registry, expected: str | None
) -> None:
    """A version that does not say what it predicts is taken to predict the target."""
    request = run_request(
        target="churned", mlflow={"registeredModelName": "churn"}, promotion={"mode": "Auto"}
    )
    found = present_version(registry, request)  # type: ignore[arg-type]  # without a server

    assert (found and found.version.version) == expected, case


def test_who_promotes_nothing_has_the_newest_version_whether_or_not_it_waits() -> None:
    """With mode None, versions from before the mode was changed are like all others."""
    registry = Registry({"3": "churned", "2": None}, awaited=("3",))
    request = run_request(target="churned", mlflow={"registeredModelName": "churn"})

    found = present_version(registry, request)  # type: ignore[arg-type]  # without a server
    assert found is not None
    assert (found.version.version, found.alias) == ("3", None)
