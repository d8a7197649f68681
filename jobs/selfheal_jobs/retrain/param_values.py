"""The keyword arguments of a candidate's estimator, read from the strings of the manifest.

The API has strings only, so that the CRD is closed: each is read as one YAML scalar or flow value.
"""

import re
from typing import Any, Final

import yaml

from selfheal_operator.api.v1alpha1.retraining import Candidate

_MAX_DEPTH: Final = 8
"""Lists in lists. PyYAML recurses, up to Python's limit; no parameter of scikit-learn has three levels."""

_FLOAT: Final = "tag:yaml.org,2002:float"


class ParamError(ValueError):
    """A parameter's value cannot be read."""


class _Loader(yaml.SafeLoader):
    """Reads 1e-3 as a number, as YAML 1.2 does; in PyYAML's YAML 1.1 it would be text."""


_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def param_values(candidate: Candidate) -> dict[str, Any]:
    """Return the parameters of a candidate, each as what its string stands for.

    Raises:
        ParamError: A value cannot be read; the sentence names its field and what to write.
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
    """Return what one YAML scalar or flow value stands for.

    >>> [param_value(text) for text in ("100", "null", "{0: 1, 1: 5}", "l2", "'100'", "1e-3")]
    [100, None, {0: 1, 1: 5}, 'l2', '100', 0.001]

    Raises:
        yaml.YAMLError, ValueError, TypeError: It is none, or holds an anchor, an alias, a tag or a key twice.
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
    """Refuse anchors, aliases and tags, before anything is built from them, and lists too deep to build."""
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
