"""Functions as tools: what the model sees, what the handler gets, and what is refused when the tool is made."""

import copy
import functools
import pickle
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import pytest
import reactivex as rx
from pydantic import BaseModel, Field
from reactivex import Observable

from allm_rx.abc.tools import ToolContext
from allm_rx.data.parts import ToolCall
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ToolError, ValidationError
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import FunctionTool, merged_tools, spec_of, tool

if TYPE_CHECKING:
    from decimal import Decimal

CONTEXT = ToolContext(tool_call=ToolCall(id="c", name="t"))


class Unit(Enum):
    CELSIUS = "C"
    KELVIN = "K"


class Place(BaseModel):
    name: str
    country: str = "Norway"


def properties(made: FunctionTool[..., Any]) -> dict[str, Any]:
    """The schema of each parameter."""
    return made.spec.parameters["properties"]  # type: ignore[return-value]


def called(made: FunctionTool[..., Any], **arguments: Any) -> Any:
    """What the handler gives for what a model passes."""
    return made.bind(arguments, CONTEXT)()


def complaint(made: FunctionTool[..., Any], **arguments: Any) -> str:
    """What a model is told of its arguments."""
    with pytest.raises(ToolError) as caught:
        made.bind(arguments, CONTEXT)
    assert caught.value.reason == "invalid_arguments"
    return caught.value.message


# What the model sees.


def test_a_function_says_it_all() -> None:
    """Name, description, types, defaults and what each parameter means."""

    @tool
    def weather(city: str, days: int = 1) -> str:
        """Tell the weather.

        Args:
            city: Where.
            days: How many.
        """
        return f"{city} {days}"

    assert weather.spec == Tool(
        name="weather",
        description="Tell the weather.",
        parameters={
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where."},
                "days": {"type": "integer", "default": 1, "description": "How many."},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    )


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    """Providers want the key all the same."""

    @tool
    def now() -> str:
        return ""

    assert now.spec.parameters == {"type": "object", "properties": {}, "additionalProperties": False}


def test_options_say_what_a_signature_cannot() -> None:
    """And win over what it says."""

    @tool(name="look_up", description="Look.", summary="L", strict=True, manual=True, timeout=5, metadata={"a": 1})
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    spec = weather.spec
    assert (spec.name, spec.description, spec.summary, spec.strict) == ("look_up", "Look.", "L", True)
    assert (spec.manual, spec.timeout, spec.metadata) == (True, 5, {"a": 1})


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045 - as people write it
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Annotated[int, Field(ge=1, le=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (Annotated[str, Field(description="Where.")], {"type": "string", "description": "Where."}),
        (Unit, {"$ref": "#/$defs/Unit"}),
        (Place, {"$ref": "#/$defs/Place"}),
    ],
)
def test_types_become_schemas(annotation: Any, schema: dict[str, Any]) -> None:
    """As pydantic writes them, without titles that repeat the name."""

    def act(what: Any) -> None: ...

    act.__annotations__["what"] = annotation

    assert properties(tool(act))["what"] == schema


def test_models_are_defined_beside() -> None:
    """Nested ones, too."""

    class Trip(BaseModel):
        to: Place

    def act(trip: Trip) -> None: ...

    act.__annotations__["trip"] = Trip

    assert set(tool(act).spec.parameters["$defs"]) == {"Trip", "Place"}  # type: ignore[arg-type]


def test_a_description_of_the_annotation_beats_the_docstring() -> None:
    """It is nearer."""

    @tool
    def act(city: Annotated[str, Field(description="nearer")]) -> None:
        """Act.

        Args:
            city: farther
        """

    assert properties(act)["city"]["description"] == "nearer"


def test_a_default_that_json_cannot_hold_is_left_out() -> None:
    """Without a warning; the function knows it."""
    nothing = object()

    @tool
    def act(city: str = nothing) -> bool:  # type: ignore[assignment]
        return city is nothing

    assert properties(act)["city"] == {"type": "string"}
    assert called(act) is True


@pytest.mark.parametrize("name", ["model_dump", "copy", "schema", "json", "self_", "_hidden", "model_config", "parameter_0"])
def test_a_parameter_may_have_any_name(name: str) -> None:
    """Also that of a method of the model which validates it."""
    namespace: dict[str, Any] = {}
    exec(f"def act({name}: int): return {name}", namespace)

    made = tool(namespace["act"])

    assert list(properties(made)) == [name]
    assert called(made, **{name: 3}) == 3


# What the handler gets.


def test_arguments_are_validated_and_converted() -> None:
    """The handler gets what its types say."""

    @tool
    def act(place: Place, unit: Unit, count: int) -> Any:
        return place, unit, count

    assert called(act, place={"name": "Oslo"}, unit="K", count="3") == (Place(name="Oslo"), Unit.KELVIN, 3)


def test_what_the_model_leaves_out_has_the_functions_default() -> None:
    """The very object, not a copy."""
    default = ["x"]

    @tool
    def act(names: list[str] = default) -> Any:
        return names

    assert called(act) is default


def test_a_default_in_a_field_is_its_value() -> None:
    """Not the `Field` itself."""

    @tool
    def act(count: int = Field(3, ge=1)) -> Any:
        return count

    assert called(act) == 3
    assert "count" in complaint(act, count=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({}, "city"), ({"city": 1}, "city"), ({"city": "Oslo", "town": 1}, "town"), ({"city": "Oslo", "days": "x"}, "days")],
)
def test_what_does_not_fit_is_told_by_name(arguments: dict[str, Any], words: str) -> None:
    """All that is wrong, in words for the model."""

    @tool
    def weather(city: str, days: int = 1) -> None: ...

    message = complaint(weather, **arguments)

    assert message.startswith("The arguments of 'weather' do not fit its schema: ")
    assert words in message


@pytest.mark.parametrize("annotation", [ToolContext, ToolContext | None, Annotated[ToolContext, "x"], Optional[ToolContext]])  # noqa: UP045
def test_a_context_is_filled_in_and_not_shown(annotation: Any) -> None:
    """Wherever it stands, and also where a test may leave it out."""

    def act(ctx: Any, city: str) -> Any:
        return ctx, city

    act.__annotations__["ctx"] = annotation
    made = tool(act)

    assert list(properties(made)) == ["city"]
    assert called(made, city="Oslo") == (CONTEXT, "Oslo")


def test_a_test_of_a_handler_makes_its_own_context() -> None:
    """Only the call is needed; what is reported goes nowhere."""
    context = ToolContext(tool_call=ToolCall(id="c", name="t"), context={"a": 1})

    context.progress("half")

    assert (context.cancelled, context.context, context.session_id) == (False, {"a": 1}, None)


def test_a_tool_is_still_a_function() -> None:
    """Others call it as before, and see its name and docstring."""

    @tool
    def double(number: int) -> int:
        """Double a number."""
        return 2 * number

    assert (double(4), double(number=5), double.__name__, double.__doc__) == (8, 10, "double", "Double a number.")


def test_attributes_of_a_function_do_not_get_into_its_tool() -> None:
    """Whatever another decorator has left on it."""

    def act() -> int:
        return 1

    vars(act).update(spec="other", handler="other", blocking="other")
    made = tool(act)

    assert (made.spec.name, made()) == ("act", 1)


# What may be a tool.


class Shop:
    """Something with methods."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sell(self, what: str, count: int = 1) -> str:
        """Sell something.

        Args:
            what: The thing.
            count: How many.
        """
        return f"{self.name}: {count} {what}"

    async def close(self) -> None:
        """Close."""

    def __call__(self, what: str) -> str:
        """Ask for something."""
        return f"{self.name} has {what}"


def test_a_bound_method_is_a_tool() -> None:
    """`self` is not shown."""
    made = tool(Shop("Corner").sell)

    assert (made.spec.name, made.spec.description, list(properties(made))) == ("sell", "Sell something.", ["what", "count"])
    assert properties(made)["what"]["description"] == "The thing."
    assert called(made, what="bread") == "Corner: 1 bread"


def test_two_methods_of_a_name_get_names_of_their_own() -> None:
    """In the same call."""
    assert [tool(Shop(name).sell, name=f"sell_{name}").spec.name for name in "ab"] == ["sell_a", "sell_b"]


def test_a_partial_hides_what_it_has_bound() -> None:
    """The model can neither see nor change it."""
    made = tool(functools.partial(Shop.sell, Shop("Corner"), count=7))

    assert (made.spec.name, made.spec.description, list(properties(made))) == ("sell", "Sell something.", ["what"])
    assert called(made, what="bread") == "Corner: 7 bread"
    assert "count" in complaint(made, what="bread", count=1)


def test_an_object_that_can_be_called_is_a_tool() -> None:
    """Under a name."""
    made = tool(Shop("Corner"), name="ask")

    assert (made.spec.name, made.spec.description) == ("ask", "Ask for something.")
    assert called(made, what="bread") == "Corner has bread"


def test_a_tool_may_be_made_of_a_tool() -> None:
    """Under another name, or with another timeout."""
    made = tool(tool(Shop("Corner").sell), name="offer", timeout=3)

    assert (made.spec.name, made.spec.timeout, called(made, what="bread")) == ("offer", 3, "Corner: 1 bread")


async def coroutine() -> None:
    """Async."""


def observable() -> Observable[int]:
    """Observable."""
    return rx.of(1)


@pytest.mark.parametrize(
    ("handler", "blocking"),
    [
        (len, True),
        (Shop("a").sell, True),
        (coroutine, False),
        (Shop("a").close, False),
        (functools.partial(coroutine), False),
        (observable, False),
        (functools.partial(observable), False),
    ],
)
def test_only_plain_functions_may_block(handler: Callable[..., Any], blocking: bool) -> None:
    """Coroutines and observables need no thread."""
    made = FunctionTool(handler, Tool(name="act"), arguments=None)

    assert made.blocking is blocking


# A schema written by hand.


SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def test_a_schema_may_be_written_by_hand() -> None:
    """The handler gets one mapping, and the docstring is the description."""

    def look_up(arguments: dict[str, Any], ctx: ToolContext) -> Any:
        """Look it up."""
        return arguments, ctx

    made = tool(name="look_up", parameters=SCHEMA, handler=look_up)

    assert (made.spec.parameters, made.spec.description) == (SCHEMA, "Look it up.")
    assert called(made, city="Oslo", more=1) == ({"city": "Oslo", "more": 1}, CONTEXT)


def test_required_keys_of_a_schema_by_hand_are_checked() -> None:
    """Presence only; the model is told which are missing."""
    made = tool(name="look_up", parameters=SCHEMA, handler=dict)

    assert complaint(made) == "The call of 'look_up' misses city: give all required arguments."


@pytest.mark.parametrize(
    "given",
    [
        {"parameters": SCHEMA},
        {"handler": len},
        {"parameters": SCHEMA, "handler": len},
        {"name": "a", "handler": len},
    ],
)
def test_a_schema_by_hand_needs_all_three(given: dict[str, Any]) -> None:
    """The message names them."""
    with pytest.raises(TypeError, match="`name`, `parameters` and `handler`"):
        tool(**given)


def test_a_handler_that_takes_no_mapping_is_refused() -> None:
    """F-19: not when the model calls it."""

    def look_up(a: int, b: int) -> None: ...

    with pytest.raises(ValidationError, match="one mapping"):
        tool(name="look_up", parameters=SCHEMA, handler=look_up)


def test_a_schema_that_is_no_object_is_refused() -> None:
    """Arguments are passed by name."""
    with pytest.raises(ValidationError, match="use 'object'"):
        tool(name="look_up", parameters={"type": "string"}, handler=dict)


# What is refused.


def untyped(city):  # type: ignore[no-untyped-def]
    """A parameter without a type."""


def positional(city: str, /) -> None:
    """One that cannot be named."""


def several(*cities: str) -> None:
    """Any number."""


def named(**cities: str) -> None:
    """Any names."""


def callback(then: Callable[[], None]) -> None:
    """What JSON cannot hold."""


def foreign(shop: Shop) -> None:
    """A class that pydantic does not know."""


def context(ctx: ToolContext, /) -> None:
    """A context that cannot be named."""


REFUSED: list[tuple[Any, str]] = [
    (untyped, "'city': it has no type"),
    (positional, "'city': the model passes arguments by name"),
    (several, "'cities': the model passes arguments by name"),
    (named, "'cities': the model passes arguments by name"),
    (callback, "'then': its type has no schema"),
    (foreign, "'shop': its type has no schema"),
    (context, "'ctx': it is passed by name"),
    (Shop.sell, r"'self': a method is made a tool where it is bound: `tool\(thing\.method\)`"),
    (lambda: 1, "use 1 to 64"),
    (max, "no signature|passes arguments by name"),
]


@pytest.mark.parametrize(("function", "words"), REFUSED)
def test_what_cannot_be_a_tool_is_refused_when_it_is_made(function: Any, words: str) -> None:
    """The message names the parameter and says what to do."""
    with pytest.raises(ValidationError, match=words) as caught:
        tool(function)

    assert caught.value.reason == "invalid_tool"


def test_an_annotation_that_is_not_there_at_run_time_is_refused() -> None:
    """The usual case is an import for type checkers only."""

    def pay(amount: "Decimal") -> None: ...

    with pytest.raises(ValidationError, match="'Decimal' is not defined: import it where the module is run"):
        tool(pay)


@pytest.mark.parametrize("name", ["", "auto", "a b", "x" * 65, "größe"])
def test_a_name_that_providers_refuse_is_refused(name: str) -> None:
    """Before the first call."""
    with pytest.raises(ValidationError):
        tool(coroutine, name=name)


@pytest.mark.parametrize("given", [5, "look_up", Shop])
def test_what_is_no_function_is_a_type_error(given: Any) -> None:
    """A class is none."""
    with pytest.raises(TypeError, match="tools of functions"):
        tool(given)


def test_an_unknown_option_is_a_type_error() -> None:
    """At once, not when something is decorated."""
    with pytest.raises(TypeError, match="'timeout'"):
        tool(time_out=5)  # type: ignore[call-overload]


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_tool_cannot_be_pickled(take: Callable[[Any], Any]) -> None:
    """Its `spec` can."""
    made = tool(coroutine)

    with pytest.raises(TypeError, match="send its `spec`"):
        take(made)
    assert pickle.loads(pickle.dumps(made.spec)) == made.spec


# Several tools.


def named_tool(name: str, description: str = "") -> Tool:
    return Tool(name=name, description=description)


def test_tools_are_merged_by_name() -> None:
    """The newer wins, in the place of the first."""
    merged = merged_tools([named_tool("a"), named_tool("b")], [named_tool("a", "newer"), named_tool("c")])

    assert [(one.name, one.description) for one in merged] == [("a", "newer"), ("b", ""), ("c", "")]


def test_two_tools_of_a_name_in_one_list_are_refused() -> None:
    """Which of them is meant is nobody's guess."""
    with pytest.raises(ValidationError, match="two tools of one list are called 'a'"):
        merged_tools([named_tool("a"), named_tool("a")])


def test_a_providers_tools_are_told_apart_by_what_they_are() -> None:
    """Several may have no name, or one that belongs to the provider."""
    hosted = [provider_tool("openai.responses", {"type": "mcp", "server_label": label}) for label in "ab"]

    assert merged_tools(hosted, hosted[:1]) == tuple(hosted)


def test_an_engine_merges_like_a_call() -> None:
    """`with_tools` is the same rule."""
    here = Engine(tools=[named_tool("a")]).with_tools(named_tool("a", "newer"), named_tool("b"))

    assert [spec_of(one).name for one in here.tools] == ["a", "b"]


@pytest.mark.parametrize("given", [len, 5, "look_up", {"name": "a"}])
def test_what_is_no_tool_is_refused(given: Any) -> None:
    """The message says how to make one."""
    with pytest.raises(ValidationError, match="is no tool: "):
        merged_tools([given])
