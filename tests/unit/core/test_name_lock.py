import pytest

from selfheal_operator.core.name_lock import NameHolder, name_holder

OURS = {
    "apiVersion": "selfheal.dev/v1alpha1",
    "kind": "ModelMonitor",
    "name": "churn",
    "uid": "now",
    "controller": True,
}
BEFORE = OURS | {"uid": "before"}
TERMINATING = {"deletionTimestamp": "2026-11-23T12:00:00Z"}


def job(*owners, **metadata):
    """Return as much of a Job as tells whose it is."""
    return {"metadata": {"name": "churn-retrain-1", "ownerReferences": list(owners)} | metadata}


@pytest.mark.parametrize(
    ("case", "found", "holder"),
    [
        ("the monitor before", job(BEFORE), NameHolder.NAMESAKE),
        ("one of a later API", job(BEFORE | {"apiVersion": "selfheal.dev/v1"}), NameHolder.NAMESAKE),
        ("beside an owner that is no controller", job({"kind": "X"}, BEFORE), NameHolder.NAMESAKE),
        ("being deleted", job(BEFORE, **TERMINATING), NameHolder.TERMINATING),
        ("nobody's, being deleted", job(**TERMINATING), NameHolder.TERMINATING),
        ("nobody's", job(), NameHolder.ANOTHER),
        ("nobody's, without the field", {"metadata": {"name": "churn-retrain-1"}}, NameHolder.ANOTHER),
        ("owned without a controller", job(BEFORE | {"controller": False}), NameHolder.ANOTHER),
        ("a monitor of another name", job(BEFORE | {"name": "churn-retrain"}), NameHolder.ANOTHER),
        ("another kind", job(BEFORE | {"kind": "CronJob"}), NameHolder.ANOTHER),
        ("another group", job(BEFORE | {"apiVersion": "batch/v1"}), NameHolder.ANOTHER),
        ("ours, with labels that cannot be read", job(OURS), NameHolder.ANOTHER),
    ],
)
def test_whose_a_job_is_is_told_by_its_controller(case, found, holder):
    """Only a Job of a monitor of this very name may be taken for an earlier life's."""
    assert name_holder(found, job(OURS)) is holder, case
