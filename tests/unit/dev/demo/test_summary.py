"""The table at the end."""

from demo.expectations import Outcome
from demo.scenarios import FLIGHTS_AIRTIME, SYNTHETIC
from demo.summary import score_table
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus


def test_the_score_that_decides_is_starred_and_a_missing_version_is_a_dash() -> None:
    """Each monitor is named once."""
    quiet = Outcome(SYNTHETIC, ModelMonitorStatus(), {"accuracy": 0.5}, None)
    better = Outcome(
        FLIGHTS_AIRTIME,
        ModelMonitorStatus(),
        {"root_mean_squared_error": 18.84, "r2": 0.9},
        {"root_mean_squared_error": 9.4, "r2": 1},
    )

    assert score_table([quiet, better]).splitlines() == [
        "MONITOR           SCORE                      BEFORE    AFTER",
        "synthetic         accuracy                   0.5000    -",
        "flights-airtime   root_mean_squared_error*   18.8400   9.4000",
        "                  r2                         0.9000    1.0000",
    ]
