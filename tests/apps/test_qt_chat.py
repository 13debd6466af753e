"""The chat in a window of Qt, used as its users do."""

import pytest

from tests.apps.scenes import scene


def test_an_answer_streams_into_the_window() -> None:
    """The beginning is shown while the provider still writes."""
    done = scene("pyside6", "qt_chat_scenes.streaming")

    assert done == {"answering": True, "at the provider": 1, "asked": ["Tell me a story"]}


def test_a_conversation_goes_on() -> None:
    """The second request holds what was said before."""
    done = scene("pyside6", "qt_chat_scenes.conversation")

    assert done["sent"] == ["Hi", "Hello.", "How are you?"]
    assert (done["questions"], done["answer"]) == (["Hi", "How are you?"], "Hello.\nFine.")


@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop_closes_the_providers_connection(how: str) -> None:
    """A click on the button, or the key, ends what is paid for, and keeps what was read."""
    done = scene("pyside6", "qt_chat_scenes.stopping", how)

    assert done == {"closed": 0, "kept": "Once upon", "remark": ["Stopped"], "ready for more": True}


def test_a_failure_can_be_tried_again() -> None:
    """The window says what is wrong and asks once more, with the same question."""
    done = scene("pyside6", "qt_chat_scenes.failure")

    assert "key" in done["told"][0]
    assert (done["answer"], done["sent"], done["questions"]) == ("Better.", ["Hi"], ["Hi"])


def test_a_missing_key_is_told_where_the_answer_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be tried again as well, although nothing was sent."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    told, again, answering = scene("pyside6", "qt_chat_scenes.no_key")

    assert "ANTHROPIC_API_KEY" in told[0]
    assert (again, answering) == (told, False)


def test_the_answer_is_copied_as_it_was_written() -> None:
    """What is shown bold, or as code, has its signs on the clipboard."""
    done = scene("pyside6", "qt_chat_scenes.copying")

    assert (done["shown"], done["code"]) == (["It is raining.", "Take care."], ["x = 1"])
    assert done["copied"] == "It is **raining**.\n\n```python\nx = 1\n```\n\nTake `care`."


def test_an_answer_looks_the_same_however_it_is_cut() -> None:
    """In the middle of a sign or a fence, too; a sign that nothing closes is one."""
    ways = scene("pyside6", "qt_chat_scenes.cuts")

    prose, code = ["Say so or x, 2*3 **", "....bb....c........"], ["a `b`\n\n**c**", "............"]
    assert ways == [[prose, ["End.", "...."], code]]


def test_a_new_conversation_leaves_the_old_one() -> None:
    """Its request is closed, and nothing of it is shown or sent."""
    done = scene("pyside6", "qt_chat_scenes.new_conversation")

    assert done == {"closed": 0, "shown": [], "sent": ["How are you?"], "answer": "Fine."}


def test_what_a_model_writes_is_text() -> None:
    """Markup in an answer is shown and does nothing, and so is what the user wrote."""
    done = scene("pyside6", "qt_chat_scenes.markup")

    assert done["answer"] == "<img src=x> <b>1</b> &amp; 2 ** 3 2*3 <i> \n [a](b)"
    assert done["question"] == ["<b>Hi</b>"]


def test_tools_are_shown_with_what_they_gave() -> None:
    """The call and its result stand above the answer."""
    done = scene("pyside6", "qt_chat_scenes.tools")

    assert done["calls"] == ['weather(city: "Oslo")']
    assert done["results"] == ["7 degrees and rain in Oslo."]
    assert done["answer"] == "Here is what I was told:"


def test_what_the_model_thought_is_shown_apart() -> None:
    """In a quiet voice above the answer, and counted with it."""
    done = scene("pyside6", "qt_chat_scenes.thinking")

    assert done == {"thought": ["Two and two."], "answer": "It is 4.", "remark": ["6 tokens"]}


def test_closing_the_window_closes_the_request() -> None:
    """In the middle of an answer; the process ends well."""
    assert scene("pyside6", "qt_chat_scenes.closing") == 0


def test_the_window_lives_while_the_provider_is_silent() -> None:
    """Its timers fire, and the next question can be written."""
    assert scene("pyside6", "qt_chat_scenes.alive") == {"typed": "And then?", "answering": True}


def test_shift_and_enter_begin_a_line() -> None:
    """Enter alone sends."""
    assert scene("pyside6", "qt_chat_scenes.keys") == ["One\ntwo"]


def test_who_scrolled_up_is_left_in_peace() -> None:
    """The end is followed until the user goes elsewhere."""
    assert scene("pyside6", "qt_chat_scenes.scrolling") == 100


def test_it_runs_without_a_key() -> None:
    """The program starts a provider of its own, and ends with its window in mid-answer."""
    assert scene("pyside6", "qt_chat_scenes.program") == ["You said:"]


@pytest.mark.parametrize(("scheme", "ground"), [("light", "#fbfaf8"), ("dark", "#171816")])
def test_it_is_pleasant_to_look_at(scheme: str, ground: str) -> None:
    """A conversation in the colours of the system, which may change at any time."""
    assert scene("pyside6", "qt_chat_scenes.picture", scheme) == ground
