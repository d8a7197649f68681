"""Values of candidates' parameters: strings in the API, YAML in their meaning."""

import contextlib
import math
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.param_values import ParamError, param_value, param_values
from selfheal_operator.api.v1alpha1.retraining import Candidate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", 100),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        ("-2.5e3", -2500.0),
        ("1e", "1e"),
        ("null", None),
        ("true", True),
        ("l2", "l2"),
        ("'100'", "100"),
        ('"null"', "null"),
        ("{0: 1, 1: 5}", {0: 1, 1: 5}),
        ("[30, 10]", [30, 10]),
        ("{}", {}),
        ("[" * 8 + "]" * 8, [[[[[[[[]]]]]]]]),
    ],
)
def test_a_string_is_read_as_one_yaml_value(text: str, value: object) -> None:
    """A scalar or a flow value; text stays text, and quotes make text of a number."""
    assert param_value(text) == value
    assert type(param_value(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{0: 1", "expected ',' or '}', but got '<stream end>'"),
        ("a: b: c", "mapping values are not allowed here"),
        ("1 --- 2\n---\n3", "but found another document"),
        ("&a [1]", "anchors, aliases and tags are not allowed"),
        ("*a", "anchors, aliases and tags are not allowed"),
        ("!!python/object/apply:os.system [ls]", "anchors, aliases and tags are not allowed"),
        ("!!str 100", "anchors, aliases and tags are not allowed"),
        ("{0: 1, 0: 5}", "a key is there twice"),
        ("[{a: 1, a: 1}]", "a key is there twice"),
        ("{[1]: 2}", "found unhashable key"),
        ("2026-13-45", "month must be in 1..12"),
        ("[" * 9 + "]" * 9, "it is nested more than 8 deep"),
        ("[" * 1024, "it is nested more than 8 deep"),
        ("\x00", "special characters are not allowed"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_the_remedy(text: str, why: str) -> None:
    """The sentence names the field, what is wrong, and what to write."""
    candidate = Candidate(name="forest", estimator="x", params={"class_weight": text})

    with pytest.raises(ParamError, match=re.escape(why)) as caught:
        param_values(candidate)

    sentence = str(caught.value)
    assert sentence.startswith("spec.retraining.candidates[name=forest].params.class_weight cannot be read: ")
    assert sentence.endswith('Write one YAML value, such as "100", "null", "l2" or "{0: 1, 1: 5}"')


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)


@given(scalars | st.lists(scalars, max_size=4) | st.dictionaries(st.integers(), scalars, max_size=4))
def test_what_yaml_writes_is_read_back(value: object) -> None:
    """In flow style, as it stands in a manifest."""
    written = yaml.safe_dump(value, default_flow_style=True, width=math.inf)

    assert param_value(written) == value


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another error: the candidate fails with a sentence, and the others are tried."""
    with contextlib.suppress(ParamError):
        param_values(Candidate(name="c", estimator="x", params={"p": text}))
