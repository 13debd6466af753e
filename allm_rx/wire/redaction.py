"""Text from anywhere, made safe to show: no keys, no control characters, no end of it.

Rule 1: rather one word too many than one key; text is searched for the shapes of keys, for the names they go by, and for the
values the caller knows to be secret.
Rule 2: redact first, cut second: half a key is no longer recognised.
Rule 3: every pattern is linear, and redacting twice changes nothing.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "[REDACTED]"

_LEAST_SECRET = 4  # shorter "keys" are placeholders of local servers; removing every "x" would leave no message

# Where a key may begin: after anything but a letter or digit, or after an escape that ends in one (`\n`, `\u003d`, `%3D`).
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"

# Vendors mask keys with asterisks in their own messages; what they leave is still part of a key.
_SHAPES = re.compile(
    _START
    + r"""(?:
      (?:sk|rk)-[\w*-]{4,}                          # OpenAI, Anthropic, OpenRouter, DeepSeek and most others
    | (?:csk|nvapi|pplx|xai)-[\w*-]{6,}             # Cerebras, NVIDIA, Perplexity, xAI
    | pa-[\w*-]{16,}                                # Voyage
    | org-(?=[\w*-]*[0-9*])[\w*-]{6,}               # OpenAI's account, which its errors name
    | (?:gsk|hf|fw|r8|tgp|sk|rk|apikey|key)_[\w*-]{8,}  # Groq, Hugging Face, Fireworks, Replicate, Together, ElevenLabs
    | AIza[\w*-]{6,}                                # Google: a key
    | ya29\.[\w*.-]{4,}                             # Google: an access token
    | (?:AKIA|ASIA|ABSK)[\w+/=]{8,}                 # Amazon
    | eyJ[\w-]{4,}(?:\.[\w-]+){1,2}                 # a JSON web token
    )""",
    re.ASCII | re.VERBOSE,
)

# A value after the name of a secret: in quotes, or up to what ends a value in JSON, a query, a header or a Python repr.
_VALUE = r"""(?!["']?\[REDACTED\])(?:"[^"\n]+"|'[^'\n]+'|[^\s"'\\,;&<>)\]}]+)"""

_NAMED = re.compile(
    r"""(
      (?:api[ _-]?key(?:\ provided)?|(?:access|auth|id|refresh|session)[_-]token|client[_-]secret|passw(?:or)?d|authorization)
      (?:\\?["'])?+\s*+(?:[:=]|,\ (?=b?["']))\s*+(?:b(?=["']))?+(?:\\["'])?+(?:(?:basic|bearer|token)\s++)?+
    )"""
    + _VALUE,
    re.IGNORECASE | re.VERBOSE,
)

# "Bearer authentication" is prose about keys, not a key.
_BEARER = re.compile(
    r"\b(bearer\s++)(?!\[REDACTED\]|(?:auth\w*|credentials?|scheme|tokens?)\b(?![.=_-]\w))[^\s\"'\\,;&<>)\]}]+", re.IGNORECASE
)

_QUERY = re.compile(r"([?&](?:key|token|sig|signature|x-amz-[a-z-]+)=)(?!\[REDACTED\])[^\s\"'\\&#<>)\]}]+", re.IGNORECASE)

_USER = re.compile(r"(?<=://)[^\s/@:\"']+:[^\s/@\"']+(?=@)")

# C0 but tab and newline, DEL, C1; marks that reorder the line they stand in; halves of characters, which nothing can print.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace keys, tokens and passwords by `[REDACTED]`.

    >>> redact("Incorrect API key provided: sk-proj-abc. GET /v1/models?key=xyz")
    'Incorrect API key provided: [REDACTED]. GET /v1/models?key=[REDACTED]'

    Args:
        text: From a provider, a proxy, an exception.
        secrets: Values that must not appear whatever they look like, as they are or escaped for a URL.
    """
    for secret in sorted(_spellings(secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = _SHAPES.sub(REDACTED, text)
    text = _NAMED.sub(rf"\1{REDACTED}", text)
    text = _BEARER.sub(rf"\1{REDACTED}", text)
    text = _QUERY.sub(rf"\1{REDACTED}", text)
    return _USER.sub(REDACTED, text)


def printable(text: str, limit: int = 200) -> str:
    r"""Give the first `limit` characters, without those that would disturb a terminal or a log; `…` says that more came.

    >>> printable("a\x1b[31m red\tword", 8)
    'a[31m re…'
    """
    # Only what may be shown is cleaned: the text can be an image of many megabytes.
    shown = _UNPRINTABLE.sub("", text[: 2 * limit])
    return f"{shown[:limit]}…" if len(shown) > limit or len(text) > 2 * limit else shown


def _spellings(secrets: Iterable[str]) -> set[str]:
    known = {secret for secret in secrets if len(secret) >= _LEAST_SECRET}
    return known | {quote(secret, safe="") for secret in known}
