"""What holds for every data model."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allm_rx.data.messages import Message, user
from allm_rx.data.model import Data, jsonable, whole_characters
from allm_rx.data.parts import TextPart, ToolCall
from allm_rx.data.sessions import Session
from allm_rx.data.threads import Thread
from allm_rx.data.usage import Usage
from allm_rx.errors import ValidationError
from tests.strategies import MODELS, damaged, sessions

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def subclasses(cls: type[Data]) -> Iterator[type[Data]]:
    """The public models below a class."""
    for sub in cls.__subclasses__():
        if sub.__module__.startswith("allm_rx.data") and not sub.__name__.startswith("_"):
            yield sub
        yield from subclasses(sub)


def nested(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all models in a value, its own included."""
    if isinstance(value, Data):
        yield path
        for name, field in value:
            yield from nested(field, (*path, name))
    if isinstance(value, tuple):
        for index, item in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any tuple
            yield from nested(item, (*path, index))


def test_every_model_is_proved() -> None:
    """No model escapes the properties of this file."""
    assert set(MODELS) == set(subclasses(Data))


@every_model
@given(data=st.data())
@settings(max_examples=40)
def test_json_round_trip_is_exact(model: type[Data], data: st.DataObject) -> None:
    """What was saved is what is loaded."""
    value = data.draw(MODELS[model])

    assert model.model_validate_json(value.model_dump_json()) == value


@every_model
@given(data=st.data())
@settings(max_examples=25)
def test_python_round_trip_is_exact(model: type[Data], data: st.DataObject) -> None:
    """A model's fields as Python data, or as JSON data, make an equal model."""
    value = data.draw(MODELS[model])

    assert model.model_validate(value.model_dump()) == value
    assert model.model_validate(value.model_dump(mode="json")) == value


@every_model
@given(data=st.data())
@settings(max_examples=15)
def test_pickle_and_copies_are_equal(model: type[Data], data: st.DataObject) -> None:
    """A model crosses a process border whole, and copies of it are equal."""
    value = data.draw(MODELS[model])

    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value


@every_model
@given(data=st.data())
@settings(max_examples=15)
def test_equal_models_have_equal_hashes(model: type[Data], data: st.DataObject) -> None:
    """Any model can be a key, whatever JSON it carries."""
    value = data.draw(MODELS[model])

    assert hash(model.model_validate_json(value.model_dump_json())) == hash(value)


def test_a_model_is_a_key_by_value() -> None:
    """An answer that was counted once is found again, however it was made."""
    counted = {Usage(extra={"a": [1]}): "first", Usage(extra={"a": [2]}): "second"}

    assert counted[Usage.model_validate({"extra": {"a": [1]}})] == "first"


@every_model
@given(data=st.data())
@settings(max_examples=15)
def test_replacing_nothing_gives_an_equal_model(model: type[Data], data: st.DataObject) -> None:
    """`replace` keeps every field that it is not told to change, exactly."""
    value = data.draw(MODELS[model])

    assert value.replace() == value


@every_model
@given(data=st.data())
@settings(max_examples=15)
def test_an_unknown_field_is_named_with_its_path(model: type[Data], data: st.DataObject) -> None:
    """A field that does not exist is refused wherever it stands, and the path leads to it."""
    value = data.draw(MODELS[model])
    path = data.draw(st.sampled_from(list(nested(value))))
    plain = value.model_dump(mode="json")
    target = plain
    for key in path:
        target = target[key]
    target["no_such_field"] = 1

    with pytest.raises(ValidationError) as caught:
        model.model_validate(plain)

    assert (*path, "no_such_field") in [issue.path for issue in caught.value.errors]


@given(st.text(st.characters()) | st.binary())
def test_garbage_is_a_validation_error(text: str | bytes) -> None:
    """Whatever is given in place of a saved session, nothing else is raised."""
    with pytest.raises(ValidationError):
        Session.model_validate_json(text)


@given(damaged(sessions.map(Session.model_dump_json)))
def test_a_damaged_session_is_a_session_or_a_validation_error(text: str) -> None:
    """A broken file is told as one, or it is still a session."""
    try:
        loaded = Session.model_validate_json(text)
    except ValidationError:
        return

    assert Session.model_validate_json(loaded.model_dump_json()) == loaded


@pytest.mark.parametrize("depth", [190, 199, 200, 240])
def test_deep_json_can_be_loaded_again(depth: int) -> None:
    """What a model wrote may be nested deeper than the fast parser goes; the session is not lost."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    session = Session(id="s", thread=Thread(messages=(user("x").replace(metadata={"deep": value}),)))

    assert Session.model_validate_json(session.model_dump_json()) == session


def test_json_nested_beyond_all_limits_is_a_validation_error() -> None:
    """A text made to overflow a parser's stack is refused like any other."""
    text = '{"extra":{"a":' + "[" * 100_000 + "]" * 100_000 + "}}"

    with pytest.raises(ValidationError, match="not JSON: it is nested too deeply"):
        Usage.model_validate_json(text)


def test_a_model_does_not_share_json_with_its_maker() -> None:
    """Changing the dict that a model was made from changes nothing."""
    notes: dict[str, Any] = {"tags": ["a"]}
    message = Message(role="user", metadata=notes)

    notes["tags"].append("b")

    assert message.metadata == {"tags": ["a"]}


def test_a_model_is_frozen_and_says_how_to_change_it() -> None:
    """An assignment is refused with our error, which names the way."""
    part = TextPart(text="a")

    with pytest.raises(ValidationError, match=r"TextPart is frozen: make another with `replace\(text=...\)`"):
        part.text = "b"

    assert part == TextPart(text="a")


def test_replace_validates() -> None:
    """A change goes through the same checks as a new value."""
    with pytest.raises(ValidationError) as caught:
        TextPart(text="a").replace(text=1, colour="red")

    assert [issue.path for issue in caught.value.errors] == [("text",), ("colour",)]


def test_a_list_becomes_a_tuple() -> None:
    """Collections are immutable."""
    assert Thread.model_validate({"messages": [{"role": "user"}]}).messages == (Message(role="user"),)


def test_a_lone_half_of_a_character_becomes_the_replacement_character() -> None:
    """Text that could be neither sent nor saved is mended where it enters."""
    assert TextPart(text="a\ud83d").text == "a\ufffd"


def test_two_halves_of_a_character_become_the_character() -> None:
    """Halves that meet are joined."""
    assert whole_characters("\ud83d\ude00") == "\U0001f600"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": (1, 2.5, None)}, {"a": [1, 2.5, None]}),
        ({1: "one"}, {"1": "one"}),
        (b"\xff\x00", "_wA="),
        (ToolCall, "<class 'allm_rx.data.parts.ToolCall'>"),
        (TextPart(text="a"), {"provider_data": {}, "type": "text", "text": "a"}),
        (float("inf"), float("inf")),
        ("\ud83d", r"'\ud83d'"),
    ],
)
def test_any_value_has_a_json_form(value: object, expected: object) -> None:
    """What JSON can hold is kept, anything else is told as its `repr`."""
    assert jsonable(value) == expected


def test_a_value_that_refers_to_itself_has_a_json_form() -> None:
    """A cycle does not stop an error from being told."""
    cycle: list[Any] = []
    cycle.append(cycle)

    assert jsonable(cycle) == "[[...]]"


def test_a_value_that_cannot_describe_itself_has_a_json_form() -> None:
    """A broken `repr` of somebody else does not stop it either."""

    class Silent:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    assert "Silent object at" in str(jsonable(Silent()))
