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
      (?:sk|rk)-[\w*-]{4,}                      # OpenAI, Anthropic, OpenRouter, DeepSeek and most others
    | (?:csk|nvapi|pplx|xai)-[\w*-]{6,}         # Cerebras, NVIDIA, Perplexity, xAI
    | pa-[\w*-]{16,}                            # Voyage
    | org-(?=[A-Za-z_*-]{0,32}[0-9*])[\w*-]{6,} # OpenAI: the account, which its errors name
    | (?:fw|gsk|hf|r8|tgp)_[\w*-]{6,}           # Fireworks, Groq, Hugging Face, Replicate, Together
    | (?:apikey|rk|sk)_[\w*-]{16,}              # ElevenLabs and others
    | (?:ABSK|AKIA|ASIA)[\w+/=]{8,}             # Amazon
    | eyJ[\w-]{4,}(?:\.[\w-]+){1,2}             # a JSON web token
    )
    | AIza[\w*-]{6,}                            # Google: a key; nothing else looks like this, wherever it begins
    | ya29\.[\w*.-]{4,}                         # Google: an access token
    """,
    re.ASCII | re.VERBOSE,
)

_DONE = r"\[REDACTED\]"

# A value without quotes ends where JSON, a query, a header, a Python repr or a sentence would end it.
_RUN = rf"""(?:(?!{_DONE})[^\s"'\\,;&#<>)\]}}])+(?<!\.)"""

_SCHEME = r"(?:basic|bearer|token)\s"

_NAMED = re.compile(
    rf"""(
      (?:api[ _-]?key(?:\ provided)?|(?:access|auth|id|refresh|session)[_-]token|authorization|passw(?:or)?d
        |client[_-]secret|secret[_-](?:access[_-])?key)
      (?:\\?["'])?\s*(?:[:=]|,\ (?=b?["']))\s*(?:\\["'])?(?:{_SCHEME}+)?
    )
    (?!{_SCHEME}|b?["']?{_DONE})(?:b?"[^"\n]+"|b?'[^'\n]+'|{_RUN})""",
    re.IGNORECASE | re.VERBOSE,
)

# "Bearer authentication" is prose about keys, not a key.
_BEARER = re.compile(rf"\b(bearer\s+)(?!(?:auth\w*|credentials?|scheme|tokens?)\b(?![.=_-]\w)){_RUN}", re.IGNORECASE)

_QUERY = re.compile(rf"([?&](?:key|token|sig|signature|x-amz-[a-z-]+)=){_RUN}", re.IGNORECASE)

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
    for named in (_NAMED, _BEARER, _QUERY):
        text = named.sub(rf"\1{REDACTED}", text)
    text = _SHAPES.sub(REDACTED, text)
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
