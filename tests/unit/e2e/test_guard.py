"""Which clusters the end-to-end test refuses to touch."""

import pytest

from e2e.guard import Target, objection


def target(
    *, context: str = "kind-kind", server: str = "https://127.0.0.1:6443", monitors: tuple[str, ...] = ()
) -> Target:
    """Return a cluster that there is nothing to say against, but for what is given."""
    return Target(context=context, server=server, foreign_monitors=monitors)


@pytest.mark.parametrize(
    "context", ["kind-kind", "minikube", "product-team", "reproduction", "olive", "delivery"]
)
def test_a_test_cluster_is_taken(context: str) -> None:
    """Also if its name holds the letters of a word that it does not hold."""
    assert objection(target(context=context), None) == ""


@pytest.mark.parametrize("context", ["prod", "eu-prod-1", "PRODUCTION", "team_prd", "live.example", "prod2"])
def test_what_looks_like_production_is_refused(context: str) -> None:
    """The sentence says how to go on if it is no production after all."""
    assert objection(target(context=context), None).endswith(f"set SELFHEAL_E2E_CONTEXT={context}.")


def test_a_server_that_looks_like_production_is_refused() -> None:
    """A context may be called anything."""
    assert "looks like production" in objection(target(server="https://api.prod.example.com"), None)


def test_a_cluster_with_monitors_in_use_is_refused() -> None:
    """The test would replace the operator that works on them."""
    assert "(team-a/churn)" in objection(target(monitors=("team-a/churn",)), None)


def test_permission_holds_for_the_context_that_it_names() -> None:
    """A permission that was left in the environment does not open another cluster."""
    assert objection(target(context="prod-1"), "prod-1") == ""
    assert objection(target(context="prod-2"), "prod-1") != ""
