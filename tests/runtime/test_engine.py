"""An engine: frozen, never equal to another, without keys, and never on its way to another process."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from allm_rx.adapters.fake import Fake
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.tools import Tool
from allm_rx.errors import EngineError, ValidationError
from allm_rx.runtime.engine import Engine

FAKE = Fake(script=["a"])


def test_an_engine_is_frozen() -> None:
    """Whoever holds one can rely on it."""
    engine: Any = Engine(adapter=FAKE, model="m")

    with pytest.raises(dataclasses.FrozenInstanceError):
        engine.model = "other"
    with pytest.raises(TypeError):
        engine.params["temperature"] = 1
    with pytest.raises(TypeError):
        engine.context["a"] = 1


def test_what_it_was_made_of_can_change_without_it() -> None:
    """Mappings and lists of the caller are copied."""
    params: dict[str, Any] = {"temperature": 0.5}
    context: dict[str, Any] = {"a": 1}
    tools = [Tool(name="t")]
    engine = Engine(params=params, context=context, tools=tools)

    params["temperature"] = 1
    context["a"] = 2
    tools.clear()

    assert (engine.params, engine.context, engine.tools) == ({"temperature": 0.5}, {"a": 1}, (Tool(name="t"),))


def test_two_engines_are_equal_only_when_they_are_one() -> None:
    """Identity decides, so an engine can be a key of a dictionary."""
    one, other = Engine(adapter=FAKE, model="m"), Engine(adapter=FAKE, model="m")

    assert one != other
    assert {one: 1, other: 2}[one] == 1
    assert one.id != other.id


def test_replacing_gives_a_new_engine() -> None:
    """The old one stays what it was, the new one has an id of its own."""
    old = Engine(adapter=FAKE, model="m", retry=False)

    new = old.replace(model="n", timeouts=Timeouts(first=5))

    assert (old.model, old.timeouts, old.retry) == ("m", None, False)
    assert (new.model, new.timeouts, new.retry, new.adapter) == ("n", Timeouts(first=5), False, FAKE)
    assert new.id != old.id


def test_with_model_keeps_everything_else() -> None:
    """Another model of the same adapter."""
    engine = Engine(adapter=FAKE, model="m", context={"a": 1}).with_model("n")

    assert (engine.model, engine.adapter, engine.context) == ("n", FAKE, {"a": 1})


def test_with_tools_merges_by_name() -> None:
    """The order of first sight is kept, the newer of one name wins."""
    engine = Engine(tools=[Tool(name="a"), Tool(name="b")])

    merged = engine.with_tools(Tool(name="c"), Tool(name="a", description="new"))

    assert [(tool.name, tool.description) for tool in merged.tools] == [("a", "new"), ("b", ""), ("c", "")]
    assert [tool.name for tool in engine.tools] == ["a", "b"]


def test_with_params_adds_over_what_there_is() -> None:
    """Each name keeps its newest value."""
    engine = Engine(params={"temperature": 0.1, "seed": 1}).with_params(temperature=0.2, max_turns=3)

    assert engine.params == {"temperature": 0.2, "seed": 1, "max_turns": 3}


def test_with_context_adds_over_what_there_is() -> None:
    """Values for handlers accumulate."""
    assert Engine(context={"a": 1}).with_context(a=2, b=3).context == {"a": 2, "b": 3}


def test_an_unknown_default_is_refused_when_the_engine_is_made() -> None:
    """A typo is found where it is, with the nearest name."""
    typo: dict[str, Any] = {"temprature": 1}

    with pytest.raises(TypeError, match="did you mean 'temperature'"):
        Engine(params=typo)
    with pytest.raises(TypeError, match="did you mean 'temperature'"):
        Engine().with_params(**typo)


@pytest.mark.parametrize(
    "fields",
    [{"params": {"max_turns": 0}}, {"retry": "yes"}, {"timeouts": 5}, {"context": [1]}, {"tools": [print]}],
    ids=lambda fields: next(iter(fields)),
)
def test_an_impossible_default_is_refused_when_the_engine_is_made(fields: Any) -> None:
    """A wrong value does not wait for the first call."""
    with pytest.raises(ValidationError):
        Engine(**fields)


@pytest.mark.parametrize("carry", [pickle.dumps, copy.deepcopy])
def test_an_engine_is_not_pickled(carry: Any) -> None:
    """It refers to sockets and handlers; the message says what to do in a worker."""
    with pytest.raises(TypeError, match="build it in the worker"):
        carry(Engine(adapter=FAKE, model="m"))


def test_a_key_among_the_params_is_masked() -> None:
    """An engine can be logged."""
    engine = Engine(adapter=FAKE, params={"api_key": "sk-secret-123456"}).with_params(temperature=1)

    assert "secret-1" not in f"{engine!r} {engine.params} {engine.with_params(api_key='sk-secret-123456')!r}"


def test_context_is_not_shown() -> None:
    """What handlers get may be anything, a customer's record for one."""
    assert "Ada" not in repr(Engine(context={"user": "Ada"}))


def test_from_model_finds_adapter_and_model() -> None:
    """The first colon divides vendor and model; other fields are taken as they are."""
    engine = Engine.from_model("ollama:qwen3:8b", retry=RetryPolicy(max_attempts=2))

    assert (engine.adapter.provider if engine.adapter else None, engine.model) == ("ollama", "qwen3:8b")
    assert engine.retry == RetryPolicy(max_attempts=2)


def test_from_model_refuses_an_unknown_vendor() -> None:
    """The error names the nearest one."""
    with pytest.raises(EngineError, match="did you mean 'ollama:'") as caught:
        Engine.from_model("olama:qwen3")

    assert caught.value.reason == "unknown_model_prefix"
