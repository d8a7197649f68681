"""Which values a hyperparameter of an estimator takes, as far as scikit-learn declares them plainly. Pure."""

from collections.abc import Sequence
from math import inf
from typing import Any, Final, Literal, NamedTuple

NumberKind = Literal["integer", "float", "number"]


class Interval(NamedTuple):
    """Numbers between two ends, as scikit-learn's constraint of this name."""

    kind: NumberKind
    """A float is no integer, and a number is either. True is the integer 1, as in Python."""
    lowest: float
    highest: float
    ends: str
    """Which ends belong to it, as in mathematics: `[` and `]` do, `(` and `)` do not."""

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of these numbers.

        >>> tenths = Interval("float", 0.0, 1.0, "(]")
        >>> [tenths.holds(value) for value in (0.0, 0.1, 1.0, 1, "0.1")]
        [False, True, True, False, False]
        """
        is_of_kind = isinstance(value, _TYPES[self.kind])
        if not is_of_kind:
            return False
        above = value >= self.lowest if self.ends[0] == "[" else value > self.lowest
        below = value <= self.highest if self.ends[1] == "]" else value < self.highest
        return bool(above and below)

    def __str__(self) -> str:
        """Return it in words.

        >>> print(Interval("integer", 1, inf, "[)"), Interval("integer", -inf, inf, "()"), sep=" or ")
        an integer in [1, inf) or an integer
        """
        what = f"an {self.kind}" if self.kind == "integer" else f"a {self.kind}"
        if (self.lowest, self.highest) == (-inf, inf):
            return what
        return f"{what} in {self.ends[0]}{self.lowest:g}, {self.highest:g}{self.ends[1]}"


_TYPES: Final[dict[str, tuple[type, ...]]] = {"integer": (int,), "float": (float,), "number": (int, float)}

Value = Interval | str | float | bool | type[list[Any]] | type[dict[Any, Any]] | None
"""A range, one value itself, or `list` or `dict` for all of this type."""

_NOT_ADVISED: Final = frozenset({"deprecated", "warn"})
"""Defaults of deprecated parameters: accepted, and of no use to anybody."""
_MOST_SHOWN: Final = 12


def takes(allowed: Sequence[Value], value: Any) -> bool:
    """Return whether a value is allowed; every value is where nothing is known of them."""
    return not allowed or any(_is(each, value) for each in allowed)


def _is(allowed: Value, value: Any) -> bool:
    if isinstance(allowed, Interval):
        return allowed.holds(value)
    if isinstance(allowed, type):
        return isinstance(value, allowed)
    return type(value) is type(allowed) and bool(value == allowed)


def advised(allowed: Sequence[Value]) -> list[str]:
    """Return the allowed words."""
    return [each for each in allowed if isinstance(each, str) and each not in _NOT_ADVISED]


def told(allowed: Sequence[Value]) -> str:
    """Return the allowed values as a manifest writes them.

    >>> told((None, Interval("integer", 1, inf, "[)"), "log2", "sqrt"))
    'null, an integer in [1, inf), log2 or sqrt'
    """
    words = [_word(each) for each in allowed if each not in _NOT_ADVISED]
    if len(words) > _MOST_SHOWN:
        return f"{', '.join(words[:_MOST_SHOWN])} or one of {len(words) - _MOST_SHOWN} more"
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _word(allowed: Value) -> str:
    match allowed:
        case None:
            return "null"
        case bool():
            return "true" if allowed else "false"
        case float():
            return f".{allowed:g}"  # only infinity
        case type():
            return "a list" if allowed is list else "a mapping"
        case _:
            return str(allowed)
