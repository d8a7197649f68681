"""The keyword arguments of a candidate's estimator, read from the strings of the manifest.

In the API all values are strings, so that the CRD schema is closed: each is parsed as one YAML scalar or flow
value.
"""

import re
from typing import Any, Final

import yaml

from selfheal_operator.api.v1alpha1.retraining import Candidate

_MAX_DEPTH: Final = 8
"""Depth of nested lists: PyYAML recurses up to Python's limit; scikit-learn's parameters need at most two."""

_FLOAT: Final = "tag:yaml.org,2002:float"


class ParamError(ValueError):
    """A parameter's value cannot be parsed."""


class _Loader(yaml.SafeLoader):
    """Parses 1e-3 as a number, as in YAML 1.2; in PyYAML's YAML 1.1 it would be text."""


_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def param_values(candidate: Candidate) -> dict[str, Any]:
    """Return the parsed parameters of a candidate.

    Raises:
        ParamError: A value cannot be parsed; the message names its field and what to write.
    """
    return {name: _read(candidate.name, name, text) for name, text in candidate.params.items()}


def _read(candidate: str, name: str, text: str) -> Any:
    try:
        return param_value(text)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise ParamError(
            f"spec.retraining.candidates[name={candidate}].params.{name} cannot be read: {_why(error)}. "
            'Write one YAML value, such as "100", "null", "l2" or "{0: 1, 1: 5}"'
        ) from error


def param_value(text: str) -> Any:
    """Parse one YAML scalar or flow value.

    >>> [param_value(text) for text in ("100", "null", "{0: 1, 1: 5}", "l2", "'100'", "1e-3")]
    [100, None, {0: 1, 1: 5}, 'l2', '100', 0.001]

    Raises:
        yaml.YAMLError, ValueError, TypeError: It is invalid, or has an anchor, alias, tag or repeated key.
    """
    _refuse_what_expands(text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _refuse_repeated_keys(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_what_expands(text: str) -> None:
    """Reject anchors, aliases, tags and too deeply nested lists, before anything is constructed."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise ValueError("anchors, aliases and tags are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError(f"it is nested more than {_MAX_DEPTH} deep")


def _refuse_repeated_keys(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        keys = [(key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            raise ValueError("a key is there twice")
    for child in _children(node):
        _refuse_repeated_keys(child)


def _children(node: yaml.Node | None) -> list[yaml.Node]:
    match node:
        case yaml.MappingNode():
            return [part for pair in node.value for part in pair]
        case yaml.SequenceNode():
            return list(node.value)
        case _:
            return []


def _why(error: Exception) -> str:
    problem = getattr(error, "problem", None) or error
    return str(problem).rstrip(".")
