"""The dashboard of several models, used as its users do."""

import pytest

from tests.apps.scenes import scene


def test_answers_stream_side_by_side() -> None:
    """One that stalls holds up nobody, and shows what it has."""
    assert scene("pyside6", "dashboard_scenes.side_by_side") == {
        "slow": "Once upon",
        "quick": "Here I am.",
        "state": "answering",
        "asked": ["Where are you?", "Where are you?"],
    }


def test_one_is_stopped_by_its_button() -> None:
    """Its connection is closed, what it said stays, and the other goes on."""
    assert scene("pyside6", "dashboard_scenes.stop_one") == {
        "closed": 1,
        "one": "Once upon",
        "other": "answering",
        "remark": "stopped",
    }


def test_all_are_stopped_at_once() -> None:
    """Every connection is closed."""
    assert scene("pyside6", "dashboard_scenes.stop_all") == ["stopped", "stopped"]


def test_a_failure_is_told_and_asked_again() -> None:
    """The card says what is wrong; the same question goes out once more."""
    done = scene("pyside6", "dashboard_scenes.failure")

    assert "key" in done["told"]
    assert (done["text"], done["second"]) == ("Better.", ["Hi"])


def test_a_new_question_leaves_the_answers_to_the_one_before() -> None:
    """Their requests are closed, and nothing of them is shown."""
    assert scene("pyside6", "dashboard_scenes.ask_again") == {"text": "New.", "closed": [0]}


def test_an_answer_is_text_and_copied_as_it_is() -> None:
    """Markup in it is shown and does nothing."""
    assert scene("pyside6", "dashboard_scenes.copy") == {"shown": "It is <b>raining</b>.", "copied": "It is <b>raining</b>."}


def test_closing_the_window_closes_every_request() -> None:
    """In the middle of all answers."""
    assert scene("pyside6", "dashboard_scenes.close") == ["0", "1"]


def test_a_missing_key_is_told_on_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found before anything is sent is a failure of that model alone."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    state, told = scene("pyside6", "dashboard_scenes.no_key")

    assert state == "failed"
    assert "ANTHROPIC_API_KEY" in told


@pytest.mark.parametrize(("scheme", "ground"), [("light", "#fbfaf8"), ("dark", "#171816")])
def test_it_is_pleasant_to_look_at(scheme: str, ground: str) -> None:
    """Four models, one of which failed, in the colours of the system; no key is needed."""
    done = scene("pyside6", "dashboard_scenes.picture", scheme)

    assert done == {"ground": ground, "states": ["done", "done", "done", "failed"]}
