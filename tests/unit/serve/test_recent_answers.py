import pytest

from selfheal_operator.serve.recent_answers import RecentAnswers
from support.fakes.timers import Timer


@pytest.mark.parametrize(("passed", "found"), [(9.9, "yes"), (10.0, None)])
def test_an_answer_holds_for_a_while(passed, found):
    """After ten seconds it is as if it had never been given."""
    timer = Timer()
    answers = RecentAnswers[str](10, most=2, timer=timer)
    answers.keep("a", "yes")
    timer.now += passed
    assert (answers.find("a"), answers.find("b")) == (found, None)


def test_a_new_answer_replaces_the_oldest():
    """However many secrets are asked about, no more than the bound are kept."""
    answers = RecentAnswers[str](10, most=2, timer=Timer())
    for secret in ("a", "b", "a", "c"):
        answers.keep(secret, secret)
    assert len(answers) == 2
    assert [answers.find(secret) for secret in "abc"] == ["a", None, "c"]


def test_the_secret_itself_is_not_kept():
    """A dump of the memory, or a traceback, shows a digest."""
    answers = RecentAnswers[bool](10, most=2, timer=Timer())
    answers.keep("the-token", answer=True)
    assert "the-token" not in str(vars(answers))
