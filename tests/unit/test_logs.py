import logging
import sys

from selfheal_operator.logs import FieldFormatter, Seldom


def line(message: str = "Job started", **extra) -> str:
    """Return a log line."""
    record = logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "kube"} | extra)
    return FieldFormatter("%(levelname)s %(name)s: %(message)s").format(record)


def test_a_line_without_fields_is_its_text():
    """Constant text can be searched for."""
    assert line() == "INFO kube: Job started"


def test_fields_follow_the_text():
    """Quoted, so that a text with blanks stays one value."""
    assert line(job="churn-check-1", error="no such host") == (
        "INFO kube: Job started job='churn-check-1' error='no such host'"
    )


def test_a_value_cannot_start_a_line_of_its_own():
    """A forged line would be believed."""
    assert "\n" not in line(error="a\nINFO kube: Job started")


def test_what_kopf_attaches_is_left_out():
    """It repeats the object's whole reference in every line."""
    assert line(k8s_ref={"name": "churn"}, settings=object()) == "INFO kube: Job started"


def test_an_error_keeps_its_trace():
    """A defect of ours is searched for by it."""
    try:
        int("broken")
    except ValueError:
        text = line(exc_info=sys.exc_info(), monitor="team-a/churn")

    assert "ValueError: invalid literal" in text
    assert "monitor='team-a/churn'" in text


def test_what_is_said_at_each_attempt_is_written_once_a_minute():
    """An outage of ten minutes is ten lines, and the first one comes at once."""
    times = [0.0, 0.0, 1.0, 59.9, 60.0, 61.0, 500.0]
    clock = iter(times)
    seldom = Seldom(lambda: next(clock))
    written = [seldom.filter(logging.makeLogRecord({})) for _ in times[1:]]

    assert written == [True, False, False, True, False, True]
