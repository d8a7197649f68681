import pytest
from pydantic import ValidationError

from selfheal_operator.config import PREFIX, Settings


def test_everything_has_a_default():
    """An operator without a single setting runs."""
    assert Settings.from_environment({}) == Settings()


def test_each_setting_is_read_from_the_environment():
    """By its name in capitals; other variables are somebody else's."""
    settings = Settings.from_environment(
        {
            "SELFHEAL_JOBS_IMAGE": "registry/jobs:1.2",
            "SELFHEAL_MLFLOW_TRACKING_URI": "http://mlflow",
            "SELFHEAL_CHECK_DEADLINE_SECONDS": "60",
            "SELFHEAL_JOB_TTL_SECONDS": "3600",
            "SELFHEAL_HEALTH_PORT": "0",
            "SELFHEAL_UNKNOWN": "1",
            "WORKERS": "1",
        }
    )

    defaults = settings.job_defaults
    assert (defaults.image, defaults.tracking_uri) == ("registry/jobs:1.2", "http://mlflow")
    assert (defaults.check_deadline_seconds, defaults.ttl_seconds) == (60, 3600)
    assert (settings.health_port, settings.workers) == (0, Settings().workers)


def test_a_variable_that_is_empty_is_as_if_absent():
    """As kustomize leaves it when nobody fills it in."""
    assert (
        Settings.from_environment({"SELFHEAL_MLFLOW_TRACKING_URI": "", "SELFHEAL_WORKERS": ""}) == Settings()
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", "0"),
        ("workers", "many"),
        ("job_ttl_seconds", "3599"),
        ("health_port", "65536"),
        ("check_deadline_seconds", "0"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name, value):
    """Better no operator than one with a guess."""
    with pytest.raises(ValidationError, match=name):
        Settings.from_environment({PREFIX + name.upper(): value})


def test_every_setting_is_described():
    """The documentation is made from the descriptions."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
