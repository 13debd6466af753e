import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.wire.partial_json import PartialJson, loads, parse_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": [1, 2.5, null, "\xc3\xa9"]}', {"a": [1, 2.5, None, "é"]}),
        ('{"a": "é"}', {"a": "é"}),
        (b' \r\n{"padded": true}    ', {"padded": True}),
        (rb'{"a": "\ud83d\ude00"}', {"a": "😀"}),
        (rb'{"a": "\ud83d"}', {"a": "\ud83d"}),
        (rb'{"a": "\ude00x"}', {"a": "\ude00x"}),
        (rb'{"a": "x\ud83dx"}', {"a": "x\ud83dx"}),
        ('{"a": "\ud83d"}', {"a": "\ud83d"}),
        (b'{"logprob": -Infinity}', {"logprob": float("-inf")}),
    ],
)
def test_a_frame_is_parsed(data: bytes | str, expected: object) -> None:
    """Frames are read as sent; half a character stays half, since the next frame may have the rest."""
    assert loads(data) == expected


@pytest.mark.parametrize(
    "data", [b"", b"[DONE]", b"<html>", b'{"a": ', b'{"a": "\xff"}', b'{} {"a": "x', b"[" * 100_000, rb'{"\ud83d": ' * 100_000]
)
def test_a_frame_that_is_not_json_is_an_error(data: bytes) -> None:
    """Whatever is wrong, it is a `ValueError`."""
    with pytest.raises(ValueError, match=" at line 1 column "):
        loads(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"city": "Oslo", "days": [1, 2]}', {"city": "Oslo", "days": [1, 2]}),
        (' {"a": {"b": null}}\n', {"a": {"b": None}}),
        ("{}", {}),
        ("", {}),
        (" \r\n\t", {}),
        ("null", {}),
        (" null ", {}),
        (r'{"a": "\ud83d\ude00\ud83d"}', {"a": "😀\ufffd"}),
        (r'{"\ude00": "\\ud83d"}', {"\ufffd": r"\ud83d"}),
        ('{"a": "\ud83d\ude00\ude00"}', {"a": "😀\ufffd"}),
    ],
)
def test_arguments_are_parsed(text: str, expected: dict[str, Any]) -> None:
    """No arguments have many spellings, and text in arguments is valid Unicode."""
    assert parse_object(text) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('["Oslo"]', 'The arguments are an array, not a JSON object: ["Oslo"]. Send them as an object.'),
        ('"Oslo"', 'The arguments are a string, not a JSON object: "Oslo". Send them as an object.'),
        ("7", "The arguments are a number, not a JSON object: 7. Send them as an object."),
        ("7.5", "The arguments are a number, not a JSON object: 7.5. Send them as an object."),
        ("true", "The arguments are a boolean, not a JSON object: true. Send them as an object."),
        (
            '{"city": "Os',
            "The arguments are not JSON (EOF while parsing a string at line 1 column 12): "
            '{"city": "Os. Send them as one JSON object.',
        ),
        (
            '{"a": 1}{"b": 2}',
            "The arguments are not JSON (trailing characters at line 1 column 9): "
            '{"a": 1}{"b": 2}. Send them as one JSON object.',
        ),
        (
            '{"a": NaN}',
            'The arguments are not JSON (expected value at line 1 column 7): {"a": NaN}. Send them as one JSON object.',
        ),
    ],
)
def test_arguments_that_are_no_object_say_so(text: str, error: str) -> None:
    """The model is told what it sent and what to send."""
    assert parse_object(text) == error


def test_an_error_shows_the_beginning_of_long_arguments() -> None:
    """An error stays short and printable."""
    error = parse_object("[" + "\x1b" * 10 + "1," * 100_000)

    assert isinstance(error, str)
    assert error.endswith(",1,1,1…. Send them as one JSON object.")
    assert len(error) < 350
    assert "\x1b" not in error


@given(st.text())
def test_any_arguments_give_an_object_or_an_error(text: str) -> None:
    """Nothing that a model writes raises."""
    assert isinstance(parse_object(text), dict | str)


@given(st.dictionaries(st.text(), VALUES))
def test_arguments_come_out_as_they_went_in(arguments: dict[str, Any]) -> None:
    """Every JSON object is read exactly."""
    assert parse_object(json.dumps(arguments)) == arguments
    assert parse_object(json.dumps(arguments, ensure_ascii=False)) == arguments


def test_a_growing_text_shows_what_it_says_so_far() -> None:
    """Strings appear while they are written, keys once they have a value."""
    text = '{"title": "A walk through the old town", "stops": [{"name": "Harbour", "minutes": 45}], "done": true}'
    partial = PartialJson()
    seen: list[object] = [partial.value]
    for at in range(0, len(text), 8):
        partial.feed(text[at : at + 8])
        if partial.value != seen[-1]:
            seen.append(partial.value)

    assert seen == [
        None,
        {"title": "A walk through the ol"},
        {"title": "A walk through the old town", "stops": [{"name": "Har"}]},
        {"title": "A walk through the old town", "stops": [{"name": "Harbour", "minutes": 45}]},
    ]
    assert partial.finish() == json.loads(text)
    assert partial.text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("{", {}),
        ('{"a', {}),
        ('{"a": "x', {"a": "x"}),
        ('{"a": [1, {"b": "x\\u00', {"a": [1, {"b": "x"}]}),
        ('{"a": "x\\ud83d', {"a": "x"}),
        ('{"a": "\\ud83d!", "b": "x', {"a": "\ufffd!", "b": "x"}),
        ('"half a str', "half a str"),
        ("nonsense", None),
    ],
)
def test_a_short_or_cut_text_is_read_at_its_end(text: str, expected: object) -> None:
    """When no more comes, everything that can be read is."""
    partial = PartialJson()
    partial.feed(text)

    assert (partial.value, partial.finish(), partial.value) == (None, expected, expected)


def test_text_that_goes_wrong_keeps_the_last_value() -> None:
    """A value that was shown is not taken back."""
    partial = PartialJson()
    partial.feed('{"a": "a string that is long enough"')
    before = partial.value
    partial.feed(", and then something that never was JSON")

    assert before == {"a": "a string that is long enough"}
    assert partial.value is before
    assert partial.finish() is before


def test_reading_while_growing_is_linear() -> None:
    """A text read after each of 100,000 deltas is parsed fewer than 100 times, and 10 times its length in all."""
    partial = PartialJson()
    partial.feed('{"text": "')
    values: list[object] = [partial.value]
    parsed = 0
    for _ in range(100_000):
        partial.feed("word ")
        if partial.value is not values[-1]:
            values.append(partial.value)
            parsed += len(partial.text)

    assert 50 < len(values) < 100
    assert parsed < 10 * len(partial.text)
    assert len(partial.text) == 500_010


def test_a_value_is_never_far_behind() -> None:
    """What is shown lacks less than 32 characters or an eighth of the text."""
    partial = PartialJson()
    partial.feed('{"a": "')
    lags: list[float] = []
    for _ in range(5_000):
        partial.feed("x")
        shown = len(partial.value["a"]) if partial.value else 0
        size = len(partial.text)
        lags.append((size - 7 - shown) / max(32, size / 8))

    assert max(lags) < 1


@given(VALUES, st.integers(1, 40))
def test_a_finished_text_gives_its_value(value: object, size: int) -> None:
    """However the text was cut, its end gives the whole."""
    text = json.dumps(value)
    partial = PartialJson()
    for at in range(0, len(text), size):
        partial.feed(text[at : at + size])

    assert partial.finish() == value
