"""Whatever is loaded as a session, thread, request, response or event is one, or a `ValidationError`."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allm_rx import Message, Session
from allm_rx.data import events as ev
from allm_rx.errors import ValidationError
from allm_rx.wire.partial_json import PartialJson
from tests.fuzz.mutations import DEEP, LONG, ODD, UNHURRIED, damaged, values
from tests.fuzz.properties import (
    DOCUMENTS,
    EVENTS,
    THREAD,
    arguments_are_an_object_or_a_complaint,
    document_is_one_or_refused,
    event_is_one_or_refused,
    loaded,
    partial_json_is_calm,
    written,
)


@pytest.mark.parametrize("name", DOCUMENTS)
@given(data=st.data())
@settings(max_examples=80, suppress_health_check=UNHURRIED)
def test_a_damaged_document_is_one_or_a_validation_error(name: str, data: st.DataObject) -> None:
    """What can still be read can also be written, and read again as the same."""
    text = data.draw(damaged(written(name)))

    document_is_one_or_refused(name, text)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:20]))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_value_in_turn_is_odd(name: str, odd: bytes) -> None:
    """Each value of a document, tried with everything odd, is taken or refused."""
    text = written(name)
    every = 1 if len(odd) < 1000 else 9  # the long ones take long

    for start, end in values(text)[::every]:
        document = loaded(DOCUMENTS[name][1], text[:start] + odd + text[end:])
        if document is not None:
            document.model_dump_json()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=UNHURRIED)
def test_a_damaged_event_is_one_or_a_validation_error(event: ev.Event, data: st.DataObject) -> None:
    """What can still be read can also be written, and read again as the same."""
    text = data.draw(damaged(ev.dumps(event).encode()))

    event_is_one_or_refused(text)


@pytest.mark.parametrize("load", [ev.loads, *(load for _, load in DOCUMENTS.values())])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"messages":[', b'{"content":['])
def test_depth_is_a_validation_error(load: Callable[[bytes], Any], opening: bytes) -> None:
    """Ten thousand levels are refused, not a crash."""
    assert loaded(load, opening * DEEP) is None


@pytest.mark.parametrize("depth", [100, 1_000, DEEP])
@pytest.mark.parametrize("place", ["context", "metadata"])
def test_deep_values_of_ones_own_are_written_or_refused(place: str, depth: int) -> None:
    """What a caller nests is written and read as it is, or refused as what it is."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    try:
        session = Session(id="s", thread=THREAD, **{place: {"deep": value}})
        text = session.model_dump_json()
    except (ValidationError, ValueError):
        return

    assert loaded(Session.model_validate_json, text.encode()) in (None, session)


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    """As everywhere in JSON."""
    assert Message.model_validate_json('{"role":"user","role":"assistant","content":"Hi"}').role == "assistant"


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:20]))
def test_odd_arguments_are_an_object_or_a_complaint(odd: bytes) -> None:
    """Arguments of a tool call never raise, as they grow or when they are whole, and what is shown of them is short."""
    text = f'{{"a": {odd.decode("utf-8", "surrogateescape")}}}'

    partial_json_is_calm(text, len(text) // 2 + 1)
    arguments_are_an_object_or_a_complaint(text)


@given(text=st.text(st.characters()), size=st.integers(1, 9))
def test_partial_json_never_raises(text: str, size: int) -> None:
    """Whatever a model writes, half characters included."""
    partial_json_is_calm(text, size)


def test_long_arguments_cost_linear_work() -> None:
    """A million characters in small pieces are parsed a few hundred times, not once per piece."""
    growing = PartialJson()
    seen: set[int] = set()

    growing.feed('{"a": "')
    for _ in range(LONG // 100):
        growing.feed("x" * 100)
        seen.add(id(growing.value))

    assert len(growing.finish()["a"]) == LONG
