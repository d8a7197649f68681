"""The siege: attacks of each identity are held, and the attacks notice when a guard is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from siege.all_attacks import KINDS
from siege.attack import Attack, Seen, UntriedError, Verdict, attempt
from siege.ground import Ground
from siege.guards import GUARDS, restore

pytestmark = pytest.mark.timeout(420)

QUICK = {
    "rights": "",
    "forged-reports": "",
    "operator-token": "",
    "models": "reaches for",
    "data": "another origin",
    "databases": "COMMIT among",
    "profiles": "counts",
    "masking": "",
}
"""The kinds whose attacks take little time, and a part of their names; `make siege` tries all."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A cluster with the shipped manifests, and an operator."""
    ground = Ground(tmp_path_factory.mktemp("siege"))
    try:
        ground.start()
        yield ground
    finally:
        ground.stop()


@pytest.mark.parametrize(("kind", "named"), QUICK.items())
def test_every_attack_is_held(ground: Ground, kind: str, named: str) -> None:
    """By the guard that is there for it."""
    outcomes = [attempt(attack, ground) for attack in KINDS[kind] if named in attack.name]
    assert outcomes
    assert [each for each in outcomes if each.verdict is not Verdict.HELD] == []


@pytest.mark.parametrize("name", ["selfheal-status", "of a run: seccomp"])
def test_attacks_succeed_without_a_guard(ground: Ground, name: str) -> None:
    """`make siege ARGS=--mutations` shows the same of each guard."""
    (guard,) = (each for each in GUARDS if each.name == name)
    guard.take_away(ground)
    ground.forget()
    try:
        tried = [each for kind in guard.kinds for each in KINDS[kind] if guard.tries(each.name)]
        outcomes = [attempt(attack, ground) for attack in tried]
    finally:
        restore(ground, guard)
    assert any(each.verdict is Verdict.SUCCEEDED for each in outcomes)


def test_there_are_at_least_300_attacks_with_names_of_their_own() -> None:
    """A name appears once within a kind, so that a report of a failure is clear."""
    assert sum(map(len, KINDS.values())) >= 300
    for attacks in KINDS.values():
        assert all(attack.expected for attack in attacks)
        assert len({(each.identity, each.name) for each in attacks}) == len(attacks)


def _untried(_: Ground) -> Seen:
    raise UntriedError("no answer")


@pytest.mark.parametrize(
    ("do", "verdict"),
    [
        (lambda _: Seen("403 forbidden", succeeded=False), Verdict.HELD),
        (lambda _: Seen("404 not found", succeeded=False), Verdict.UNCLEAR),
        (lambda _: Seen("forbidden", succeeded=True), Verdict.SUCCEEDED),
        (_untried, Verdict.UNTRIED),
    ],
)
def test_only_the_expected_refusal_is_held(tmp_path: Path, do, verdict: Verdict) -> None:
    """Could not look is never looks good, and neither is a refusal for another reason."""
    attack = Attack("a try", 1, "tenant", do, "forbidden")
    assert attempt(attack, Ground(tmp_path)).verdict is verdict
