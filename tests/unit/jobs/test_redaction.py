import base64
from urllib.parse import quote

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import _validate_prediction_input
from mlflow.types.schema import ColSpec, Schema

from selfheal_jobs import redaction
from selfheal_jobs.redaction import MASK, learn_secrets, masked, one_line, without_secrets

words = st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://lake/a.csv?X-Sig=abc", "https://lake/a.csv"),
        ("https://ann:pw@lake:8443/a.csv#part", "https://lake:8443/a.csv"),
        ("no url? no change", "no url? no change"),
        ("two http://a/b?c=1 and http://d/e?f=2.", "two http://a/b and http://d/e"),
        (
            "Max retries exceeded with url: /a.csv?sig=abc (Caused by",
            "Max retries exceeded with url: /a.csv (Caused by",
        ),
        ("https://ann:pa/ss@lake/a.csv", "https://lake/a.csv"),
        ("https://ann:pa?ss@lake/a.csv?sig=1", "https://lake/a.csv"),
        ("https://ann:pa#s@s@lake/a.csv and a@b", "https://lake/a.csv and a@b"),
        ("https://ann:p@s/s@lake/a.csv", "https://lake/a.csv"),
        ("https://ann:/ss@lake/a.csv", "https://lake/a.csv"),
        ("https://ann:123@lake/a.csv", "https://lake/a.csv"),
        ("https://ann:123456/ss@lake/a.csv", "https://lake/a.csv"),
        ("https://lake:8443/a@b.csv", "https://lake:8443/a@b.csv"),
        ("https://[::1]:8443/a@b.csv", "https://[::1]:8443/a@b.csv"),
        ("https://lake/a:b@c.csv", "https://lake/a:b@c.csv"),
        ("file:///data/a:b@c.csv", "file:///data/a:b@c.csv"),
        ("quoted 'http://ann:p@w@lake/a.csv?sig=1' end", "quoted 'http://lake/a.csv' end"),
    ],
)
def test_urls_lose_what_may_be_secret(text: str, shown: str) -> None:
    """User information, queries and fragments go; the rest of the text stays."""
    assert without_secrets(text) == shown


@given(user=words, password=words, signature=words)
def test_no_part_of_a_signed_address_survives(user: str, password: str, signature: str) -> None:
    """Whatever a password or a signature is made of, it is not in what is shown."""
    shown = without_secrets(f"GET https://{user}.u:{password}.p@lake/x.csv?sig={signature}.s failed")

    assert shown == "GET https://lake/x.csv failed"


def test_the_cause_of_an_error_that_quotes_a_table_is_kept() -> None:
    """MLflow puts the rows before it; they are the user's, and are not shown."""
    schema = Schema([ColSpec("string", "plz"), ColSpec("long", "n")])
    with pytest.raises(MlflowException) as raised:
        _validate_prediction_input(pd.DataFrame({"plz": [1067, 6108], "n": [1, 2]}), None, schema, None)

    text = one_line(raised.value)

    assert text.startswith(
        "MlflowException: Failed to enforce schema: Incompatible input types for column plz. Can not safely"
    )
    assert "6108" not in text


def test_a_first_line_that_announces_a_cause_is_followed_by_it() -> None:
    """It ends with a colon; of several lines the last one is the cause, as in a traceback."""
    error = ValueError("The step failed:\n  more\nKeyError: 'plan'\n")

    assert one_line(error) == "ValueError: The step failed: KeyError: 'plan'"


def test_an_error_becomes_one_line() -> None:
    """Only the first line with text in it is shown, after the error's type."""
    assert one_line(ValueError("\n first\nsecond")) == "ValueError: first"


def test_what_cannot_be_printed_is_a_question_mark() -> None:
    """Errors show bytes of files; a status is read on a terminal."""
    assert one_line(OSError("type: \x0f\x1b[31m")) == "OSError: type: ??[31m"


def test_an_error_without_text_is_its_type() -> None:
    """There is no dangling colon."""
    assert one_line(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize(
    ("name", "value", "text", "shown"),
    [
        ("SELFHEAL_CURRENT_AWS_SECRET_ACCESS_KEY", "wJalrX/Utn", "key wJalrX/Utn refused", "key *** refused"),
        ("SELFHEAL_LABELS_token", "abc", "token abc, not abcdef", "token ***, not abcdef"),
        ("SELFHEAL_REFERENCE_AWS_REGION", "eu-central-1", "no region eu-central-1", "no region eu-central-1"),
        ("MLFLOW_TRACKING_PASSWORD", "hunter22", "hunter22 is wrong", "*** is wrong"),
        ("OTHER", "harmless", "harmless", "harmless"),
        ("SELFHEAL_MLFLOW_AWS_SECRET_ACCESS_KEY", "k3y-of-ann", "k3y-of-ann is wrong", "*** is wrong"),
        (
            "SELFHEAL_MLFLOW_MLFLOW_TRACKING_INSECURE_TLS",
            "True",
            "it is true, and True",
            "it is true, and True",
        ),
        ("SELFHEAL_CURRENT_AWS_SECRET_ACCESS_KEY", "a/b+c=d&e", "sig a%2Fb%2Bc%3Dd%26e.", "sig ***."),
        ("SELFHEAL_CURRENT_AWS_SECRET_ACCESS_KEY", "a/b+c=d&e", "sig a%2fb%2bc%3dd%26e.", "sig ***."),
        ("SELFHEAL_CURRENT_password", 'pa"ss\\word', r'{"p": "pa\"ss\\word"}', '{"p": "***"}'),
        (
            "SELFHEAL_CURRENT_password",
            'pa"ss\\word',
            r'["{\"p\": \"pa\\\"ss\\\\word\"}"]',
            r'["{\"p\": \"***\"}"]',
        ),
        ("SELFHEAL_CURRENT_password", "two words", "p=two+words", "p=***"),
        (
            "SELFHEAL_CURRENT_GOOGLE_CREDENTIALS",
            '{"type": "service_account", "private_key": "-----BEGIN-----\\nMIIEvQ\\n"}',
            "type service_account, key MIIEvQ",
            "type service_account, key ***",
        ),
        ("SELFHEAL_CURRENT_url", "postgresql://ann:p%40ss-word@db/x", "user ann, p@ss-word", "user ***, ***"),
        ("SELFHEAL_CURRENT_url", "postgresql://ann:pa/ss-word@db/x", "refuses pa/ss-word", "refuses ***"),
        ("SELFHEAL_CURRENT_url", "postgresql://ann:pw-of-ann@db/x", "db refuses pw-of-ann", "db refuses ***"),
        (
            "SELFHEAL_CURRENT_url",
            "postgresql://db/x?password=hush77",
            "password=hush77 or hush77",
            "*** or ***",
        ),
    ],
)
def test_what_a_secret_holds_is_masked(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str, shown: str
) -> None:
    """Wherever it turns up: whole, or as the part of a URL that an error shows; regions are none."""
    monkeypatch.setenv(name, value)

    assert without_secrets(text) == shown


@given(secret=words)
def test_no_secret_survives_in_any_error(secret: str) -> None:
    """Whatever it is made of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFHEAL_CURRENT_AWS_SECRET_ACCESS_KEY", secret)

        assert secret not in one_line(ValueError(f"before {secret}{secret} after"))


@given(before=st.text(max_size=5), secret=words, after=st.text(max_size=5))
def test_no_secret_survives_in_base64(before: str, secret: str, after: str) -> None:
    """As in a header, wherever in it the secret begins: a user and a colon are before a password."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SELFHEAL_CURRENT_password", secret)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            header = encode(f"{before}{secret}{after}".encode()).decode()

            shown = masked(f"Authorization: Basic {header}")

            assert MASK in shown
            left = shown.partition("Basic ")[2].partition(MASK)
            # At most the four characters at each end that hold a part of what is around the secret.
            assert len(left[0]) <= (len(before.encode()) + 2) // 3 * 4
            assert len(left[2]) <= (len(after.encode()) + 2) // 3 * 4 + 4


@given(secret=st.text(min_size=6, max_size=20).map(str.strip).filter(lambda text: len(text) >= 6))
def test_no_secret_survives_when_it_is_percent_encoded(secret: str) -> None:
    """Whatever characters it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_learnt", {secret})

        assert masked(f"sig={quote(secret, safe='')}.") in {f"sig={MASK}.", f"{MASK}={MASK}."}


def test_values_that_are_in_no_variable_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of Secrets in files, and in variables of any name."""
    monkeypatch.setattr(redaction, "_learnt", set())
    assert masked("it is hunter22") == "it is hunter22"

    learn_secrets(["hunter22"])

    assert masked("it is hunter22") == "it is ***"


def test_a_short_value_is_masked_as_a_word() -> None:
    """A password of one letter occurs in most words, and as a word it says what it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_learnt", {"a", "b c"})

        assert masked("a banana: b c, ab c") == "*** banana: ***, ab c"
