"""The text box that goes on where one pauses, used as its users do."""

import pytest

from tests.apps.scenes import scene


def test_a_suggestion_is_taken_by_tab() -> None:
    """It stands beside the text, not in it, until then."""
    assert scene("pyside6", "autocomplete_scenes.take") == {
        "before": "Once",
        "after": "Once upon a time",
        "left over": "",
        "asked": ["Once"],
    }


def test_typing_on_leaves_the_request_under_way() -> None:
    """At once, not when the next one is sent; only the latest suggestion is shown."""
    assert scene("pyside6", "autocomplete_scenes.type_on") == {
        "at once": "",
        "closed": [0],
        "asked by then": ["Once"],
        "asked": ["Once", "Once I was"],
        "count": 1,
    }


def test_nothing_is_asked_while_keys_come_quickly() -> None:
    """Five keys, one pause, one request."""
    assert scene("pyside6", "autocomplete_scenes.quick_fingers") == ["Thank"]


def test_escape_dismisses_and_closes_the_request() -> None:
    """The text stays as it is."""
    assert scene("pyside6", "autocomplete_scenes.dismiss") == {"text": "Once", "suggestion": "", "closed": [0]}


def test_a_failure_is_a_hint_and_the_box_lives_on() -> None:
    """The next key tries again."""
    done = scene("pyside6", "autocomplete_scenes.failure")

    assert "key" in done["told"]
    assert (done["hint"], done["asked"]) == ("Tab takes it, Esc does not", ["Once", "Once,"])


def test_closing_the_window_closes_the_request() -> None:
    """In the middle of a suggestion."""
    assert scene("pyside6", "autocomplete_scenes.close") == [0]


@pytest.mark.parametrize(("scheme", "ground"), [("light", "#fbfaf8"), ("dark", "#171816")])
def test_it_is_pleasant_to_look_at(scheme: str, ground: str) -> None:
    """A letter half written, in the colours of the system; no key is needed."""
    done = scene("pyside6", "autocomplete_scenes.picture", scheme)

    assert done == {"ground": ground, "suggestion": " meet you on Tuesday at ten, in the small cafe by the harbour."}
