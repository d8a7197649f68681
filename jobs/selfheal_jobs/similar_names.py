"""Finds the name that was probably meant, for a message. Pure."""

import difflib
import unicodedata
from collections.abc import Iterable


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """Return the nearest known name as a question in parentheses; empty if none is near.

    >>> did_you_mean("churnscore", ["age", "churn_score"])
    " (did you mean 'churn_score'?)"
    >>> did_you_mean("Churn_Score", ["age", "churn_score"])
    " (did you mean 'churn_score'?)"
    >>> did_you_mean("plan", ["age", "churn_score"])
    ''
    """
    by_folded = {_folded(name): name for name in known}
    close = difflib.get_close_matches(_folded(written), by_folded, n=1)
    return f" (did you mean {_shown(by_folded[close[0]], written)}?)" if close else ""


def spelt_otherwise(name: str, known: Iterable[str]) -> str | None:
    r"""Return a known name that differs in case, in spaces around it, or in its Unicode form only, as shown.

    >>> spelt_otherwise("amount", ["age", "Amount "])
    "'Amount '"
    >>> print(spelt_otherwise("caf\xe9", ["cafe\u0301"]))
    'cafe\u0301', in another Unicode form
    """
    alike = (each for each in known if each != name and _folded(each) == _folded(name))
    return next((_shown(each, name) for each in alike), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()


def _shown(name: str, beside: str) -> str:
    """Quote a name; with its code points if it looks like the other one."""
    if name != beside and unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", beside):
        return f"{name[:40]!a}, in another Unicode form"
    return repr(name[:100])
