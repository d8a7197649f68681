"""Which version is the present champion; the registry itself is tested in tests/integration."""

from datetime import UTC, datetime

import pytest

from selfheal_jobs.tracking.model_registry import Version
from selfheal_jobs.tracking.present_version import present_version


class Registry:
    """A registry that holds these versions, the newest first; the aliased one by its number."""

    def __init__(self, versions: dict[str, str | None], alias: str | None = None) -> None:
        self._found = [
            Version("churn", number, datetime.now(UTC), {"selfheal.target": target} if target else {})
            for number, target in versions.items()
        ]
        self._alias = alias

    def version_by_alias(self, name: str, alias: str) -> Version | None:
        """Return the version with the alias."""
        assert (name, alias) == ("churn", "champion")
        return next((each for each in self._found if each.version == self._alias), None)

    def newest_version(self, name: str) -> Version | None:
        """Return the newest version."""
        del name
        return next(iter(self._found), None)

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
    ],
)
def test_the_alias_comes_first_and_other_targets_do_not_count(
    case: str, registry: Registry, expected: str | None
) -> None:
    """A version that does not say what it predicts is taken to predict the target."""
    found = present_version(registry, "churn", "churned")  # type: ignore[arg-type]  # without a server

    assert (found and found.version) == expected, case
