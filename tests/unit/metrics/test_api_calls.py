import pytest

from selfheal_operator.metrics.api_calls import api_call

MONITORS = "/apis/selfheal.dev/v1alpha1"


@pytest.mark.parametrize(
    ("method", "path", "verb", "resource"),
    [
        ("GET", f"{MONITORS}/modelmonitors", "list", "modelmonitors"),
        ("GET", f"{MONITORS}/namespaces/a/modelmonitors", "list", "modelmonitors"),
        ("GET", f"{MONITORS}/namespaces/a/modelmonitors/churn", "get", "modelmonitors"),
        ("PATCH", f"{MONITORS}/namespaces/a/modelmonitors/churn/status", "patch", "modelmonitors/status"),
        ("POST", "/apis/batch/v1/namespaces/a/jobs", "create", "jobs"),
        ("DELETE", "/apis/batch/v1/namespaces/a/jobs/churn-check-1", "delete", "jobs"),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/selfheal", "update", "leases"),
        ("GET", "/api/v1/namespaces/a/pods", "list", "pods"),
        ("GET", "/api/v1/namespaces/a", "get", "namespaces"),
        ("POST", "/api/v1/namespaces", "create", "namespaces"),
    ],
)
def test_a_request_is_named_as_rbac_names_it(method, path, verb, resource):
    """The verb and the plural, with the subresource: what an owner finds in the operator's role."""
    assert api_call(method, path) == (verb, resource)


def test_a_watch_is_no_list():
    """Both are GET of the same path; the query tells them apart."""
    assert api_call("GET", "/apis/batch/v1/jobs", watch=True) == ("watch", "jobs")


def test_a_proxy_before_the_api_server_changes_no_name():
    """Some cluster managers put their own path in front."""
    path = "/k8s/clusters/c-1/apis/batch/v1/namespaces/a/jobs"
    assert api_call("POST", path) == ("create", "jobs")


@pytest.mark.parametrize("name", ["a", "jobs", "status", "v1", "namespaces"])
def test_the_names_of_objects_are_no_part_of_it(name):
    """Else each monitor would bring series of its own that never go."""
    path = f"{MONITORS}/namespaces/{name}/modelmonitors/{name}/status"
    assert api_call("PATCH", path) == ("patch", "modelmonitors/status")


def test_what_is_not_known_shares_one_name():
    """A path of another form, or another method, makes no series of its own."""
    assert api_call("GET", "/healthz") == ("other", "other")
    assert api_call("OPTIONS", "/apis/batch/v1/jobs") == ("other", "jobs")
