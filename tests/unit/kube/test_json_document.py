import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.kube import json_document
from selfheal_operator.kube.json_document import DEEPEST, parse, shallow

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def cut(document, most: int):
    """Return a document with None in place of what nests deeper."""
    if not isinstance(document, (dict, list)):
        return document
    if most == 0:
        return None
    if isinstance(document, list):
        return [cut(each, most - 1) for each in document]
    return {name: cut(each, most - 1) for name, each in document.items()}


@given(document=documents, most=st.integers(1, 6), ascii_only=st.booleans())
def test_what_nests_too_deep_is_null_and_all_else_stays(document, most, ascii_only):
    """Whatever brackets and quotes are in its texts."""
    raw = json.dumps([document], ensure_ascii=ascii_only).encode(errors="surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_document, "DEEPEST", most)

        assert json.loads(shallow(raw).decode(errors="surrogatepass")) == cut([document], most)


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]"), ('[{"]":', "}]")])
def test_a_list_with_one_object_that_nests_deep_is_read(opening, closing):
    """Deeper than any parser: the others are as they were."""
    nested, quote = opening * 100_000 + "1" + closing * 100_000, json.dumps('"')
    raw = f'{{"items": [{{"a": "}}"}}, {{"b": {nested}, "c": 2}}, {{"d": {quote}}}]}}'.encode()

    items = parse(raw)["items"]

    assert (items[0], items[1]["c"], items[2]) == ({"a": "}"}, 2, {"d": '"'})


def test_what_is_no_json_is_an_error():
    """Deep or not."""
    for raw in (b"", b"{", b'{"a":' * 100_000, b"[" * (DEEPEST + 1)):
        with pytest.raises(ValueError, match=r"."):
            parse(raw)
