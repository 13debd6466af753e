"""The table of options: one list of names for type checkers, checks and documentation."""

import inspect
from typing import Any

import pytest

import allm_rx.execution.calls as calls
from allm_rx.data.requests import Request
from allm_rx.errors import ValidationError
from allm_rx.runtime import options
from allm_rx.runtime.options import check_names, check_values


def test_the_groups_do_not_overlap() -> None:
    """Each option belongs to one group."""
    groups = [options.MODEL, options.CALL, options.STREAM, options.ORCHESTRATION]

    assert sum(map(len, groups)) == len(options.ALL)
    assert set(options.Options.__annotations__) == options.ALL


@pytest.mark.parametrize("name", ["generate", "stream_generate", "step", "stream_step", "chat", "stream"])
def test_the_six_calls_take_the_same_options(name: str) -> None:
    """A call can be turned into another one without touching its options."""
    parameters = inspect.signature(getattr(calls, name)).parameters

    assert list(parameters) == ["engine", "input", "options"]
    assert parameters["options"].kind is inspect.Parameter.VAR_KEYWORD
    assert parameters["options"].annotation == "Unpack[Options]"


def test_every_model_option_is_a_field_of_the_request() -> None:
    """What is asked of the model can be written into a request too."""
    assert set(Request.model_fields) >= options.MODEL


def test_none_is_a_value_of_every_option() -> None:
    """None is "not given", and type checkers agree."""
    hints = {name: str(hint) for name, hint in options.Options.__annotations__.items()}

    assert [name for name, hint in hints.items() if "None" not in hint and "Any" not in hint] == []


def test_known_names_pass() -> None:
    """All of them at once."""
    check_names(options.ALL, where="f()")


def test_a_name_like_none_of_them_lists_them_all() -> None:
    """Where nothing is near, the message shows the whole list."""
    with pytest.raises(TypeError) as caught:
        check_names(["zzz"], where="f()")

    assert all(name in str(caught.value) for name in options.ALL)


def test_a_value_of_none_passes_everywhere() -> None:
    """Nothing that was not given can be impossible."""
    check_values(dict.fromkeys(options.ALL))


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("max_turns", 0, "0 is no value for it: use a whole number from 1"),
        ("max_turns", True, "True is no value for it"),
        ("tool_timeout", -0.5, "-0.5 is no value for it: use seconds, more than 0"),
        ("mode", "semi", "'semi' is no value for it: use 'auto' or 'manual'"),
        ("retry", 3, "3 is no value for it: use `RetryPolicy(...)`, True or False"),
        ("timeouts", 30, "30 is no value for it: use `Timeouts(...)`"),
    ],
)
def test_a_value_that_cannot_be_is_quoted_with_what_can(name: str, value: Any, advice: str) -> None:
    """The message says which value, and what to use."""
    with pytest.raises(ValidationError) as caught:
        check_values({name: value})

    assert advice in str(caught.value)
    assert [issue.path for issue in caught.value.errors] == [(name,)]


def test_a_long_value_is_cut() -> None:
    """A message stays readable whatever was passed."""
    with pytest.raises(ValidationError) as caught:
        check_values({"context": ["x" * 100_000]})

    assert len(str(caught.value)) < 500
