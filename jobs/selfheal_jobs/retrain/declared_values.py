"""The values of a parameter by scikit-learn's own declaration, as far as a manifest can hold them.

Scikit-learn validates parameters by the attribute `_parameter_constraints` of a class, in each fit.
"""

from collections.abc import Mapping
from datetime import date
from itertools import chain
from math import inf
from numbers import Integral, Real
from typing import Any, Final

from sklearn.utils._param_validation import Interval as Declared
from sklearn.utils._param_validation import Options, RealNotInt, make_constraint

from selfheal_operator.api.param_kinds import Interval, NumberKind, Value

_KINDS: Final[Mapping[Any, NumberKind]] = {Integral: "integer", RealNotInt: "float", Real: "number"}

_OF_TYPES: Final = frozenset(
    {
        *("HasMethods", "_ArrayLikes", "_Booleans", "_Callables"),
        *("_InstancesOf", "_IterablesNotString", "_NoneConstraint", "_SparseMatrices"),
    }
)
"""Constraints that only ask of which type a value is."""
_SAMPLES: Final[tuple[Any, ...]] = (True, 1, 0.5, "text", [], {}, None, date(2026, 11, 23))
"""A value of each type that YAML has."""
_VALUES_OF: Final[Mapping[frozenset[type], list[Value]]] = {
    frozenset(): [],  # functions, estimators, matrices: no manifest holds them
    frozenset({bool}): [False, True],
    frozenset({bool, int}): [Interval("integer", -inf, inf, "()")],
    frozenset({type(None)}): [None],
    frozenset({list}): [list],
    frozenset({dict}): [dict],
    frozenset({list, dict}): [list, dict],
}


def declared_values(estimator: type, name: str) -> tuple[Value, ...]:
    """Return the values of a parameter; none if not all of its constraints are understood."""
    declared = getattr(estimator, "_parameter_constraints", {}).get(name, "no_validation")
    if declared == "no_validation":
        return ()
    return tuple(dict.fromkeys(_of_all(declared) or ()))


def _of_all(declared: list[Any]) -> list[Value] | None:
    # A part of a constraint is one already, which `make_constraint` does not always take.
    made = [each if hasattr(each, "is_satisfied_by") else make_constraint(each) for each in declared]
    found = [_of_one(each) for each in made]
    known = [each for each in found if each is not None]
    return list(chain.from_iterable(known)) if len(known) == len(found) else None


def _of_one(constraint: Any) -> list[Value] | None:
    if isinstance(constraint, Declared):
        return [_interval(constraint)]
    if isinstance(constraint, Options):
        return _options(constraint.options)
    if type(constraint).__name__ in _OF_TYPES:
        accepted = (type(each) for each in _SAMPLES if constraint.is_satisfied_by(each))
        return _VALUES_OF.get(frozenset(accepted))
    inner = getattr(constraint, "_constraints", None)  # of cv_object, random_state and verbose
    return None if inner is None else _of_all(inner)


def _options(options: set[Any]) -> list[Value] | None:
    is_known = all(isinstance(each, str) or each == inf for each in options)
    return sorted(options) if is_known else None


def _interval(declared: Any) -> Interval:
    opening = "[" if declared.closed in ("left", "both") else "("
    closing = "]" if declared.closed in ("right", "both") else ")"
    lowest = -inf if declared.left is None else declared.left
    highest = inf if declared.right is None else declared.right
    return Interval(_KINDS[declared.type], lowest, highest, opening + closing)
