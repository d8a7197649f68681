import json

import msgspec

from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.core.validation import LARGEST_SPEC_BYTES
from testbed.large_spec import with_all_to_the_bounds, with_much_to_read

SMALLEST = {
    "dataset": {"reference": {"uri": "/a"}, "current": {"uri": "/b"}},
    "target": "y",
    "threshold": 0.3,
}


def size(spec):
    """Return the bytes of the spec as JSON."""
    return len(json.dumps(spec, separators=(",", ":")))


def test_the_one_can_be_given_to_a_run_and_hardly_anything_more_can():
    """It is kept in memory, and goes into an environment variable: with its defaults, which the CRD adds."""
    spec = ModelMonitorSpec.from_wire(with_much_to_read(SMALLEST | {"intervalSeconds": 300}))

    assert 0.95 * LARGEST_SPEC_BYTES < len(msgspec.json.encode(spec)) <= LARGEST_SPEC_BYTES


def test_the_other_is_several_times_larger():
    """It is listed and read, but not kept."""
    assert size(with_all_to_the_bounds(SMALLEST)) > 4 * LARGEST_SPEC_BYTES
