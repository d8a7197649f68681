import pytest

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.config import PREFIX, SettingError, Settings
from selfheal_operator.core.capacity import Limits
from selfheal_operator.crd import field_descriptions


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
        ("run_storage_limit", "10"),
        ("run_storage_limit", "0Gi"),
        ("max_active_checks", "-1"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name, value):
    """Better no operator than one with a guess."""
    with pytest.raises(SettingError, match=PREFIX + name.upper()):
        Settings.from_environment({PREFIX + name.upper(): value})


def test_every_setting_is_described():
    """The documentation is made from the descriptions."""
    assert field_descriptions(Settings).keys() == {*Settings.__struct_fields__}


# --- several operators --------------------------------------------------------------------------------------


def test_namespaces_are_separated_by_commas():
    """However they were written; none means all."""
    settings = Settings.from_environment({"SELFHEAL_NAMESPACES": " team-a, team-b,,team-a "})

    assert settings.namespaces == ("team-a", "team-b")
    assert Settings().namespaces == ()


def test_what_a_run_may_read_is_a_list():
    """Of patterns by commas, and of folders by colons, as PATH has them."""
    settings = Settings.from_environment(
        {
            "SELFHEAL_ALLOWED_URIS": "s3://lake/*, https://data.example.com/*,",
            "SELFHEAL_DATA_PATHS": "/opt/data:/srv",
            "SELFHEAL_MAX_DOWNLOAD_BYTES": "7",
        }
    )

    defaults = settings.job_defaults
    assert defaults.allowed_uris == ("s3://lake/*", "https://data.example.com/*")
    assert (defaults.data_paths, defaults.max_download_bytes) == (("/opt/data", "/srv"), 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_URIS", "*"),
        ("ALLOWED_URIS", "s3://a/*,lake/*"),
        ("DATA_PATHS", "data"),
        ("MAX_DOWNLOAD_BYTES", "0"),
    ],
)
def test_what_permits_nothing_that_anybody_meant_is_refused(name, value):
    """A pattern without a scheme would match no address."""
    with pytest.raises(SettingError, match=f"SELFHEAL_{name}"):
        Settings.from_environment({f"SELFHEAL_{name}": value})


@pytest.mark.parametrize("value", ["team_a", "Team", "!team", "team-*", "-a", "a" * 64])
def test_what_is_no_namespace_is_refused(value):
    """A pattern would be taken for a name."""
    with pytest.raises(SettingError, match="SELFHEAL_NAMESPACES"):
        Settings.from_environment({"SELFHEAL_NAMESPACES": value})


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({}, None),
        ({"POD_NAMESPACE": "selfheal-system"}, "selfheal-system"),
        ({"POD_NAMESPACE": "selfheal-system", "SELFHEAL_LEADER_ELECTION": "false"}, None),
        ({"POD_NAMESPACE": "selfheal-system", "SELFHEAL_LEADER_ELECTION": "true"}, "selfheal-system"),
    ],
)
def test_a_leader_is_elected_where_there_is_a_place_for_the_lease(environment, where):
    """In a pod, that is; unless it is switched off."""
    assert Settings.from_environment(environment).lease_namespace == where


def test_a_lease_without_a_place_is_refused():
    """Two operators that each believe to be elected would be worse than none that does."""
    with pytest.raises(SettingError, match="POD_NAMESPACE does not say where"):
        Settings.from_environment({"SELFHEAL_LEADER_ELECTION": "true"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("LEASE_DURATION_SECONDS", "7"), ("LEASE_RENEW_DEADLINE_SECONDS", "10"), ("LEASE_RETRY_SECONDS", "7")],
)
def test_durations_that_would_let_two_lead_are_refused(name, value):
    """By the settings, before anybody leads."""
    with pytest.raises(SettingError, match="each has to be longer"):
        Settings.from_environment({f"SELFHEAL_{name}": value})


def test_nobody_starts_any_number_of_jobs_by_default():
    """Five thousand monitors of one team leave room for the others; 0 is any number, if somebody says so."""
    assert Settings().limits == {Purpose.CHECK: Limits(500, 100), Purpose.RETRAIN: Limits(50, 10)}
    unlimited = {f"SELFHEAL_MAX_ACTIVE_{name}": "0" for name in ("CHECKS", "CHECKS_PER_NAMESPACE")}
    assert Settings.from_environment(unlimited).limits[Purpose.CHECK] == Limits()
