import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.wire.redaction import printable, redact

KEYS = [
    "sk-proj-abcdefghijklmnop_QRST-uvwx",
    "sk-ant-api03-abcdefgh-ijklmnop",
    "sk-or-v1-0123456789abcdef",
    "sk-test",
    "sk-abcd********wxyz",
    "rk-abcdef123456",
    "csk-abcdef123456",
    "nvapi-abcdef123456",
    "pplx-abcdef123456",
    "xai-abcdef123456",
    "pa-abcdefghijklmnop123",
    "org-AbCdEf123456",
    "gsk_abcdefghij",
    "hf_abcdefghij",
    "sk_0123456789abcdef0123",
    "AIzaSyA-0123456789_abcdefghijklmnop",
    "ya29.a0AfH6SMB_xyz.abc-def",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s1gn-ature_",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "around", ["{}", "key {}, please", '"{}"', "({})", "got: {}.", "x={}&y=1", r"line\n{}", "%20{}%20", r"\u003d{}", "/v1/{}/"]
)
def test_a_key_is_known_by_its_shape(key: str, around: str) -> None:
    """Every vendor's keys are removed, wherever they stand."""
    shown = redact(around.format(key))

    assert "[REDACTED]" in shown
    assert key[:7] not in shown
    assert key[-6:] not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer xyz", "Authorization: Bearer [REDACTED]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic [REDACTED]"),
        ("sent Bearer xyz, twice: bearer  abc", "sent Bearer [REDACTED], twice: bearer  [REDACTED]"),
        ("Bearer token.abc", "Bearer [REDACTED]"),
        ("x-api-key: xyz", "x-api-key: [REDACTED]"),
        ("X-Goog-Api-Key: xyz", "X-Goog-Api-Key: [REDACTED]"),
        ("{'x-api-key': 'x yz', 'accept': '*/*'}", "{'x-api-key': [REDACTED], 'accept': '*/*'}"),
        ("[(b'x-api-key', b'xyz'), (b'a', b'b')]", "[(b'x-api-key', [REDACTED]), (b'a', b'b')]"),
        ("Headers([('Authorization', 'Bearer xyz')])", "Headers([('Authorization', [REDACTED])])"),
        ("GET /v1/models?key=xyz&alt=sse HTTP/1.1", "GET /v1/models?key=[REDACTED]&alt=sse HTTP/1.1"),
        ("https://host/?a=b&token=xyz#top", "https://host/?a=b&token=[REDACTED]#top"),
        ("api_key=xyz", "api_key=[REDACTED]"),
        ("api_key=b'xyz'", "api_key=[REDACTED]"),
        ("Client(api_key='xyz', timeout=3)", "Client(api_key=[REDACTED], timeout=3)"),
        ('{"api_key": "xyz", "n": 1}', '{"api_key": [REDACTED], "n": 1}'),
        (r'"{\"apiKey\": \"xyz\"}"', r'"{\"apiKey\": \"[REDACTED]\"}"'),
        ("OPENAI_API_KEY=xyz python", "OPENAI_API_KEY=[REDACTED] python"),
        ("aws_secret_access_key = xyz", "aws_secret_access_key = [REDACTED]"),
        ("access_token=xyz;client_secret=abc", "access_token=[REDACTED];client_secret=[REDACTED]"),
        ("Incorrect API key provided: xyz. Find yours", "Incorrect API key provided: [REDACTED]. Find yours"),
        ("proxy http://me:xyz@proxy:8080/ failed", "proxy http://[REDACTED]@proxy:8080/ failed"),
    ],
)
def test_a_key_is_known_by_its_name(text: str, expected: str) -> None:
    """A value that looks like nothing is removed when its name says what it is."""
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "task-based, risk-adjusted, desk-mounted, ask-me-anything",
        "monkey=banana, max_tokens: 12, total_tokens=7",
        "API key not valid. Please pass a valid API key.",
        "invalid x-api-key",
        "Use Bearer authentication; Bearer tokens expire.",
        "https://platform.openai.com/account/api-keys?tab=all",
        "organization-wide limits, org-level quota",
        "Rate limit reached for gpt-4o on tokens per min: 30000 used.",
    ],
)
def test_prose_stays(text: str) -> None:
    """A message that only speaks of keys can still be read."""
    assert redact(text) == text


def test_known_secrets_are_removed_whatever_they_look_like() -> None:
    """A value the caller names is removed, also inside words, escaped for a URL, or as part of another secret."""
    text = "hunter2/x failed, xhunter2/xy failed, ?q=hunter2%2Fx, hunter2/x/long"

    assert redact(text, ["hunter2/x", "hunter2/x/long"]) == ("[REDACTED] failed, x[REDACTED]y failed, ?q=[REDACTED], [REDACTED]")


def test_placeholder_keys_are_no_secrets() -> None:
    """The key of a server that wants none must not take every letter away."""
    assert redact("no such model: x", ["", "x", "no"]) == "no such model: x"


def test_a_key_across_the_cut_does_not_show() -> None:
    """Redacting comes first, so half a key is never left."""
    text = "x" * 190 + " sk-proj-abcdefghijklmnop"

    assert printable(redact(text)) == "x" * 190 + " [REDACTED…"


MARKS = [
    *("Bearer ", "token ", "api_key", ": ", "=", '"', "'", "\\", "b", "a", " ", "\n", "."),
    *("[REDACTED]", "[", "]", "?key=", "://", "@"),
]


@given(st.lists(st.sampled_from([*KEYS, *MARKS])).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    """A text that went through several layers is not mangled."""
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "sk-",
        "sk-a",
        "org-",
        "eyJ",
        "eyJaaaa.",
        "Bearer ",
        "api_key",
        "api_key=",
        'api_key:"',
        "password\\",
        "?key=",
        "://a:",
        " ",
    ],
)
def test_no_text_takes_forever(text: str) -> None:
    """A megabyte of what begins like a key is searched once: quadratic would not end within the test's timeout."""
    assert len(redact(text * (2**20 // len(text)))) > 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\nlines,\ta tab", "two\nlines,\ta tab"),
        ("crlf\r\nline", "crlf\nline"),
        ("\x1b[31mred\x1b[0m\x00\x7f\x9b", "[31mred[0m"),
        ("abc\u202edef\u2066", "abcdef"),
        ("half \ud83d", "half "),
        ("é 你 😀 👩\u200d🚀", "é 你 😀 👩\u200d🚀"),
    ],
)
def test_control_characters_do_not_show(text: str, expected: str) -> None:
    """What would move a cursor, reorder a line or fail to print is left out; everything else stays."""
    assert printable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abcd", "abcd"), ("abcde", "abcd…"), ("\0abc\0d", "abcd"), ("\0" * 8 + "a", "…"), ("a" * 1000, "aaaa…"), ("", "")],
)
def test_a_long_text_is_cut(text: str, expected: str) -> None:
    """At most the limit is shown, and the reader sees that more came."""
    assert printable(text, 4) == expected


def test_the_usual_limit_is_200() -> None:
    """An excerpt fits into an error message."""
    assert printable("é" * 1000) == "é" * 200 + "…"
