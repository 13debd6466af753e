"""Damage for texts that programs read: bytes that are torn, and JSON whose values are anything but what they should be."""

import json
import re
from functools import cache

from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much)
"""What is said of large examples, which are the point here."""
DEEP = 10_000
"""Levels of JSON that no honest program writes."""
LONG = 1_000_000
"""Characters of a text that is too long for comfort."""

ODD: tuple[bytes, ...] = (
    *(
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'""',
        b"0",
        b"-1",
        b"0.5",
        b"[null]",
        b"[[]]",
        b"[{}]",
        b'{"type":null}',
        b'{"a":1,"a":2}',
    ),
    *(b"1e999", b"-1e999", b"NaN", b"Infinity", b"1e-999", b"9" * 400, b"9" * 5000, b"18446744073709551616", b"-0.0"),
    *(rb'"\ud83d"', rb'"\ude00"', rb'"\u0000"', b'"\x00"', b'"\xff"', rb'"\x"', b'"\xe2\x80\xa8"', rb'"\u001b[2J"'),
    *(
        b'"' + b"x" * LONG + b'"',
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b"[" * DEEP,
        b'"{\\"a\\":"',
        b'"a"b',
    ),
)
"""JSON, or nearly, that may stand where any other value does."""

HARD: tuple[bytes, ...] = (rb'"\ud83d"', rb'{"\ud83d":"\ude00"}', b"[" * 150 + b"]" * 150)
"""JSON that parsers take and writers do not: halves of characters as texts and as names, and many levels."""

_VALUE = re.compile(rb"[:\[,]\s*(?=[\[{\"\dtfn-])")


@cache
def values(text: bytes) -> list[tuple[int, int]]:
    """Give where the JSON values in a text begin and end, at every depth."""
    found: list[tuple[int, int]] = []
    # One byte is one character here, so that places in the text are places in the bytes.
    letters, decoder = text.decode("latin-1"), json.JSONDecoder(strict=False)
    for match in _VALUE.finditer(text):
        try:
            _, end = decoder.raw_decode(letters, match.end())
        except (ValueError, RecursionError):
            continue
        found.append((match.end(), end))
    return found


@st.composite
def replaced(draw: st.DrawFn, text: bytes) -> bytes:
    """One or two values are others."""
    for _ in range(draw(st.integers(1, 2))):
        start, end = draw(st.sampled_from(values(text) or [(0, len(text))]))
        text = text[:start] + draw(st.sampled_from(ODD)) + text[end:]
        if len(text) > DEEP:  # looking for the values of what was just made takes longer than the test
            break
    return text


@st.composite
def torn(draw: st.DrawFn, text: bytes) -> bytes:
    """Pieces are missing, doubled, or strange."""
    for _ in range(draw(st.integers(1, 3))):
        start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        middle = draw(st.sampled_from((b"", text[start:end] * 2, *_STRANGE)) | st.binary(max_size=8))
        text = text[:start] + middle + text[end:]
    return text


_STRANGE = (
    b"\x00",
    b"\n\n",
    b"\r",
    b"data: ",
    b"data: [DONE]\n\n",
    b'data: {"error":{}}\n\n',
    b"event: error\n",
    b"\xef\xbb\xbf",
    b'"',
    b"}",
)


def damaged(text: bytes) -> SearchStrategy[bytes]:
    """A text that has been mistreated in one of the ways."""
    return replaced(text) | torn(text)
