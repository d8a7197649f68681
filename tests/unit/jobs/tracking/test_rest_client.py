from selfheal_jobs.tracking.rest_client import reach
from selfheal_jobs.transport.retry_policy import QUICK, STANDARD

URI = "http://mlflow.mlops:5000"


def test_all_that_reach_one_server_share_one_connection() -> None:
    """The run of a check and the profile of its reference are written by different modules."""
    first, second = reach(URI, QUICK, {}), reach(f"{URI}/", STANDARD, {})

    assert first.server is second.server
    assert (first.retries, second.retries) == (QUICK, STANDARD)


def test_other_credentials_make_another_connection() -> None:
    """The environment is what MLflow takes them from."""
    own = reach(URI, QUICK, {"MLFLOW_TRACKING_TOKEN": "t"})

    assert own.server is not reach(URI, QUICK, {}).server
    assert own.server is reach(URI, QUICK, {"MLFLOW_TRACKING_TOKEN": "t", "HOME": "/root"}).server
