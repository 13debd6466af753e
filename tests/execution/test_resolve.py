"""From a call's arguments to its settled values: who wins, what merges, and what is refused."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pydantic
import pytest
import reactivex as rx

from allm_rx.adapters.fake import Fake
from allm_rx.data.messages import system, user
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.requests import AllowedTools, JsonSchema, PromptCache, Reasoning, Request
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool
from allm_rx.data.usage import Usage
from allm_rx.errors import ValidationError
from allm_rx.execution.resolve import Resolved, request_of, resolve
from allm_rx.runtime import options
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool

LEVELS = ("params", "engine", "request", "call")
"""Who may say a value; the later wins."""


def first(_: object) -> None: ...
def second(_: object) -> None: ...


INBOXES = (rx.never(), rx.never())
EXECUTORS = (ThreadPoolExecutor(1), ThreadPoolExecutor(1))

VALUES: dict[str, dict[str, Any]] = {
    "model": {"params": "m-params", "engine": "m-engine", "request": "m-request", "call": "m-call"},
    "tool_choice": {"params": "auto", "request": "none", "call": "required"},
    "temperature": {"params": 0.0, "request": 0.5, "call": 1.0},
    "top_p": {"params": 0.1, "request": 0.2, "call": 0.3},
    "max_tokens": {"params": 1, "request": 2, "call": 3},
    "stop": {"params": ("a",), "request": ("b",), "call": ("c",)},
    "seed": {"params": 0, "request": 1, "call": 2},
    "response_format": {"params": "text", "request": "json_object", "call": JsonSchema(json_schema={})},
    "reasoning": {"params": Reasoning(effort="low"), "request": Reasoning(effort="high"), "call": Reasoning(effort="none")},
    "prompt_cache": {"params": PromptCache(key="a"), "request": PromptCache(key="b"), "call": PromptCache(key="c")},
    "api_key": {"params": "key-params", "call": "key-call"},
    "request_id": {"params": "id-params", "call": "id-call"},
    "session_id": {"params": "s-params", "call": "s-call"},
    "timeouts": {"params": Timeouts(first=1), "engine": Timeouts(first=2), "call": Timeouts(first=3)},
    "retry": {"params": RetryPolicy(max_attempts=5), "engine": RetryPolicy(max_attempts=6), "call": RetryPolicy(max_attempts=7)},
    "emit_text_deltas": {"params": False, "call": True},
    "emit_tool_deltas": {"params": False, "call": True},
    "include_raw_chunks": {"params": True, "call": False},
    "on_event": {"params": first, "call": second},
    "mode": {"params": "manual", "call": "auto"},
    "max_turns": {"params": 1, "call": 2},
    "halt_when": {"params": bool, "call": callable},
    "on_tool_error": {"params": "halt", "call": "continue"},
    "tool_timeout": {"params": 1.5, "call": 2},
    "max_concurrency": {"params": 1, "call": 2},
    "structured_finalize": {"params": True, "call": False},
    "structured_finalize_nudge": {"params": "Now.", "call": ""},
    "tool_executor": {"params": EXECUTORS[0], "call": EXECUTORS[1]},
    "tool_result_encoder": {"params": str, "call": repr},
    "usage_limit": {"params": Usage(total_tokens=1), "call": Usage(total_tokens=2)},
    "inbox": {"params": INBOXES[0], "call": INBOXES[1]},
}
"""Each option that does not merge, with a value of its own for each level that can say it."""

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(VALUES),
    "timeouts": Timeouts(),
    "retry": RetryPolicy(),
    "emit_text_deltas": True,
    "emit_tool_deltas": True,
    "include_raw_chunks": False,
}


def resolved(engine: Engine | None = None, given: Any = "Hi", **call: Any) -> Resolved:
    return resolve(engine or Engine(), given, call, function="generate")  # type: ignore[arg-type]


def settled(name: str, given: dict[str, Any]) -> Any:
    """The value of an option when some levels say one."""
    fields: dict[str, Any] = {name: given["engine"]} if "engine" in given else {}
    if "params" in given:
        fields["params"] = {name: given["params"]}
    request = Request(messages=(user("Hi"),), **({name: given["request"]} if "request" in given else {}))
    result = resolved(Engine(**fields), request, **({name: given["call"]} if "call" in given else {}))
    if name in options.MODEL:
        return getattr(result.request, name)
    if name in options.ORCHESTRATION:
        return result.orchestration.get(name)
    found = getattr(result.call if hasattr(result.call, name) else result, name)
    return found.get_secret_value() if name == "api_key" and found else found


GIVEN_AT = [
    pytest.param(name, levels, id=f"{name}-{'+'.join(levels)}")
    for name, values in VALUES.items()
    for count in range(1, len(values) + 1)
    for levels in itertools.combinations(values, count)
]
"""Each option with each choice of levels that say it."""


def test_every_option_is_in_the_table_or_merges() -> None:
    """A new option takes its row here."""
    assert {*VALUES, "context", "tools", "provider_options"} == options.ALL


@pytest.mark.parametrize(("name", "levels"), GIVEN_AT)
def test_the_nearest_level_wins(name: str, levels: tuple[str, ...]) -> None:
    """Call beats request beats engine beats its params, for every option."""
    winner = max(levels, key=LEVELS.index)

    assert settled(name, {level: VALUES[name][level] for level in levels}) == VALUES[name][winner]


@pytest.mark.parametrize("name", [name for name in VALUES if name != "request_id"])
def test_without_any_level_the_default_holds(name: str) -> None:
    """What nobody says is the library's default, or left to the provider."""
    assert settled(name, {}) == DEFAULTS[name]


@pytest.mark.parametrize("name", VALUES)
def test_none_means_not_given(name: str) -> None:
    """A None at a nearer level hides nothing."""
    given = {level: None for level in VALUES[name] if level != "params"} | {"params": VALUES[name]["params"]}

    assert settled(name, given) == VALUES[name]["params"]


# Ids, keys and switches.


def test_a_request_id_is_minted_for_each_call() -> None:
    """Two calls can be told apart without the caller's doing."""
    ids = {resolved().call.request_id for _ in range(100)}

    assert len(ids) == 100


def test_a_key_is_not_shown() -> None:
    """Neither the settled call nor its engine gives a key away."""
    result = resolved(Engine(params={"api_key": "sk-engine-secret"}), api_key="sk-call-secret")

    assert "secret" not in f"{result!r} {result.engine!r} {result.engine.params}"


@pytest.mark.parametrize(("given", "attempts"), [(False, 1), (True, 3), (RetryPolicy(max_attempts=9), 9)])
def test_retry_is_a_policy_or_a_switch(given: Any, attempts: int) -> None:
    """False tries once, True is the default policy, also over an engine's own."""
    engine = Engine(retry=RetryPolicy(max_attempts=7))

    assert resolved(engine, retry=given).retry.max_attempts == attempts


# What merges.


def test_contexts_merge_shallowly() -> None:
    """Engine and call add up; of one name the call's value holds whole."""
    engine = Engine(params={"context": {"a": 0, "z": 0}}, context={"a": 1, "b": {"x": 1}})

    assert resolved(engine, context={"b": {"y": 2}, "c": 3}).call.context == {"a": 1, "z": 0, "b": {"y": 2}, "c": 3}


def test_a_context_of_none_is_none_given() -> None:
    """A None among the params or the options is no mapping, and hides none."""
    engine = Engine(params={"context": None}, context={"a": 1})

    assert resolved(engine, context=None).call.context == {"a": 1}


def named(name: str, description: str = "") -> Tool:
    return Tool(name=name, description=description)


def test_tools_merge_by_name() -> None:
    """Engine, request and call add up in order of first sight; of one name the nearest holds."""
    engine = Engine(params={"tools": [named("a"), named("b", "params")]}, tools=[named("b", "engine"), named("c", "engine")])
    request = Request(messages=(user("Hi"),), tools=(named("c", "request"), named("d", "request")))

    tools = resolved(engine, request, tools=[named("d", "call"), named("e")]).request.function_tools

    assert [(tool.name, tool.description) for tool in tools] == [
        ("a", ""),
        ("b", "engine"),
        ("c", "request"),
        ("d", "call"),
        ("e", ""),
    ]


def test_the_model_sees_the_spec_and_the_runner_the_handler() -> None:
    """A decorated function is data in the request, and itself for who runs it."""

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    result = resolved(tools=[weather])

    assert (result.request.tools, result.tools) == ((weather.spec,), (weather,))


def test_provider_options_merge_deeply() -> None:
    """Mappings add up at every depth; lists and values are replaced."""
    engine = Engine(params={"provider_options": {"a": {"b": 1, "c": [1]}, "d": 1}})
    request = Request(messages=(user("Hi"),), provider_options={"a": {"c": [2], "e": 2}})

    merged = resolved(engine, request, provider_options={"a": {"e": 3}, "d": {"f": 3}}).request.provider_options

    assert merged == {"a": {"b": 1, "c": [2], "e": 3}, "d": {"f": 3}}


def test_merging_changes_none_of_its_sources() -> None:
    """Engine and request are what they were after any number of calls."""
    engine = Engine(params={"provider_options": {"a": {"b": 1}}}, context={"x": 1}, tools=[named("t")])
    request = Request(messages=(user("Hi"),), provider_options={"a": {"c": 2}})

    resolved(engine, request, provider_options={"a": {"d": 3}}, context={"y": 2}, tools=[named("t", "new")])

    assert engine.params == {"provider_options": {"a": {"b": 1}}}
    assert (engine.context, engine.tools) == ({"x": 1}, (named("t"),))
    assert request.provider_options == {"a": {"c": 2}}


# What is said in short.


class Weather(pydantic.BaseModel):
    """Where, and how warm."""

    city: str


def test_short_forms_become_the_long_ones() -> None:
    """An effort, a switch, one stop text and a class are accepted wherever the option is."""
    request = resolved(reasoning="low", prompt_cache=True, stop="END", response_format=Weather, tool_choice="auto").request

    assert request.reasoning == Reasoning(effort="low")
    assert request.prompt_cache == PromptCache()
    assert request.stop == ("END",)
    assert isinstance(request.response_format, JsonSchema)
    assert request.response_format.json_schema["required"] == ["city"]


def test_a_switch_turns_the_engines_cache_off() -> None:
    """`prompt_cache=False` at the call is said, not left out."""
    assert resolved(Engine(params={"prompt_cache": True}), prompt_cache=False).request.prompt_cache is None


def test_allowed_tools_pass() -> None:
    """A choice that is data stays what it is."""
    choice = AllowedTools(names=("a",))

    assert resolved(tool_choice=choice).request.tool_choice == choice


# What is refused.


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("temprature", "did you mean 'temperature'?"),
        ("max_token", "did you mean 'max_tokens'?"),
        ("tool", "did you mean 'tools'?"),
        ("qqq", "known are api_key, context, "),
    ],
)
def test_an_unknown_option_names_the_nearest(name: str, advice: str) -> None:
    """A typo is a `TypeError` at the call, with the function's name."""
    with pytest.raises(TypeError) as caught:
        resolved(None, **{name: 1})

    assert f"generate() got an unknown option {name!r}" in str(caught.value)
    assert advice in str(caught.value)


IMPOSSIBLE: dict[str, Any] = {
    "model": 5,
    "tool_choice": 5,
    "temperature": "hot",
    "top_p": [],
    "max_tokens": 1.5,
    "stop": 5,
    "seed": "x",
    "response_format": "xml",
    "reasoning": "deep",
    "prompt_cache": "yes",
    "provider_options": 5,
    "api_key": 5,
    "request_id": 5,
    "session_id": 5,
    "timeouts": 5,
    "retry": 5,
    "context": 5,
    "tools": "weather",
    "emit_text_deltas": 1,
    "emit_tool_deltas": "no",
    "include_raw_chunks": 0,
    "on_event": 5,
    "mode": "semi",
    "max_turns": 0,
    "halt_when": True,
    "on_tool_error": "stop",
    "tool_timeout": 0,
    "max_concurrency": True,
    "structured_finalize": "yes",
    "structured_finalize_nudge": 5,
    "tool_executor": 5,
    "tool_result_encoder": 5,
    "usage_limit": 100,
    "inbox": [],
}


def test_every_option_has_an_impossible_value() -> None:
    """A new option takes its row here too."""
    assert set(IMPOSSIBLE) == options.ALL


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_value_is_refused_at_the_call(name: str) -> None:
    """The error names the option, whatever kind it is."""
    with pytest.raises(ValidationError) as caught:
        resolved(None, **{name: IMPOSSIBLE[name]})

    assert {issue.path[0] for issue in caught.value.errors} == {name}


def test_all_impossible_values_are_told_at_once() -> None:
    """One error lists every option that cannot be."""
    with pytest.raises(ValidationError) as caught:
        resolved(max_turns=0, mode="semi", tool_timeout=-1)

    assert {issue.path for issue in caught.value.errors} == {("max_turns",), ("mode",), ("tool_timeout",)}


def test_a_key_of_a_wrong_type_is_not_quoted() -> None:
    """Bytes that hold a key are refused without repeating them."""
    with pytest.raises(ValidationError) as caught:
        resolved(api_key=b"sk-secret-123456")

    assert "secret-1" not in f"{caught.value} {caught.value!r}"


# What is asked.


@pytest.mark.parametrize(
    "given",
    [
        "Hi",
        user("Hi"),
        [user("Hi")],
        (user("Hi"),),
        Thread(messages=(user("Hi"),)),
        Request(messages=(user("Hi"),)),
    ],
    ids=["text", "message", "list", "tuple", "thread", "request"],
)
def test_every_form_of_input_means_the_same(given: Any) -> None:
    """A text, a message, several, a thread and a request are the same question."""
    assert request_of(given) == Request(messages=(user("Hi"),))


def test_the_messages_keep_their_order() -> None:
    """What is given first is first."""
    assert [message.role for message in request_of([system("Be brief."), user("Hi")]).messages] == ["system", "user"]


@pytest.mark.parametrize("given", [None, 5, b"Hi", ["Hi"], {"role": "user"}, iter([user("Hi")]), Fake(script=[])])
def test_anything_else_is_no_input(given: Any) -> None:
    """The error says which forms there are."""
    with pytest.raises(ValidationError, match="pass a text, a Message, a list of them, a Thread or a Request"):
        request_of(given)
