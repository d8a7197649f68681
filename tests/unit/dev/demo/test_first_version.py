"""The request of a run by hand."""

from datetime import UTC, datetime

from demo.first_version import by_hand
from demo.monitors import monitor
from demo.scenarios import SYNTHETIC
from selfheal_operator.api.request import RunRequest

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_is_the_monitors_own_spec_but_for_the_training_data() -> None:
    """Version 1 learns from the reference, with the candidates that the monitor names."""
    document = monitor(SYNTHETIC, data="/data", tracking_uri="http://localhost:5000")

    request = by_hand(document, now=NOW)

    assert request.spec.retraining.training_data == "Reference"
    assert [each.name for each in request.spec.retraining.candidates] == ["linear", "forest"]
    assert request.spec.dataset.reference.uri == "/data/synthetic/reference.parquet"
    assert "trainingData" not in document["spec"]["retraining"]


def test_it_survives_the_way_through_the_environment() -> None:
    """The document alone is enough to repeat the run."""
    request = by_hand(monitor(SYNTHETIC, data="/data", tracking_uri="http://localhost:5000"), now=NOW)

    assert RunRequest.from_json(request.to_json()) == request
