"""An object that fills up while its JSON is written."""

import enum
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import pytest
import reactivex as rx
from pydantic import AliasChoices, BaseModel, Field, RootModel, field_validator, model_validator
from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.events import MessageCompleted, TextCompleted, TextDelta
from allm_rx.data.messages import assistant
from allm_rx.errors import AdapterError, StreamError
from allm_rx.operators.partial_models import Unready, partial_model
from allm_rx.testing.marbles import OVERLOADED, events, expect, items, observe


class Step(BaseModel):
    do: str
    minutes: int = 1


class Recipe(BaseModel):
    title: str
    serves: int = 4
    steps: list[Step]

    @property
    def heading(self) -> str:
        return f"{self.title} for {self.serves}"


TITLE = '{"title": "Bread with nuts and raisins", '
WHOLE = TITLE + '"steps": [{"do": "stir"}]}'


def written(*pieces: str) -> dict[str, Any]:
    """A lookup whose digits are those pieces of text, and whose `d` completes them."""
    deltas = {str(index): TextDelta("b", piece) for index, piece in enumerate(pieces)}
    return {**deltas, "d": MessageCompleted(assistant("".join(pieces)), "stop")}


def test_instances_come_as_the_text_grows() -> None:
    """What has not come is its default or None, and the last one is whole."""
    lookup = written(TITLE, '"steps": [{"do": "stir until smo', 'oth"}]}')

    seen = items(events("s-0-1-2-(d,|)", lookup).pipe(lx.partial(Recipe)))

    assert [one.model_dump() for one in seen] == [
        {"title": "Bread with nuts and raisins", "serves": 4, "steps": None},
        {"title": "Bread with nuts and raisins", "serves": 4, "steps": [{"do": "stir until smo", "minutes": 1}]},
        {"title": "Bread with nuts and raisins", "serves": 4, "steps": [{"do": "stir until smooth", "minutes": 1}]},
    ]


def test_every_instance_is_of_the_class() -> None:
    """Its properties work, and it tells what has come."""
    first, *_ = items(events("s-0", written(TITLE)).pipe(lx.partial(Recipe)))

    assert isinstance(first, Recipe)
    assert first.heading == "Bread with nuts and raisins for 4"
    assert first.model_fields_set == {"title"}


def test_instances_come_at_their_time() -> None:
    """The whole one with the end of the answer, before the end of the stream."""
    seen = observe(events("s-0-1-d-|", written(TITLE, '"steps": []}')).pipe(lx.partial(Recipe)))

    assert [one.time - 200 for one in seen] == [2, 6, 8]


def test_the_last_instance_is_validated() -> None:
    """It equals what the response gives."""
    stream = events("s-0-(d,|)", written(WHOLE))

    [response] = items(stream.pipe(lx.collect_response()))

    assert items(stream.pipe(lx.partial(Recipe)))[-1] == response.parsed(Recipe)


def test_an_answer_that_does_not_fit_ends_with_an_error() -> None:
    """After the instances that seemed to, when the stream ends."""
    [*_, last] = observe(events("s-0-d--|", written(TITLE + '"steps": 5}')).pipe(lx.partial(Recipe)))

    assert last.time == 207
    assert isinstance(last.value.exception, AdapterError)  # type: ignore[attr-defined]
    assert last.value.exception.reason == "malformed_response"  # type: ignore[attr-defined]
    assert "does not fit Recipe: steps" in last.value.exception.message  # type: ignore[attr-defined]


def test_an_answer_that_is_not_whole_is_never_taken_for_one() -> None:
    """Half an object must not pass for the last item."""
    [_, last] = observe(events("s-0-|", written(TITLE)).pipe(lx.partial(Recipe)))

    assert isinstance(last.value.exception, StreamError)  # type: ignore[attr-defined]
    assert last.value.exception.reason == "stream_interrupted"  # type: ignore[attr-defined]


def test_an_error_event_comes_as_on_error() -> None:
    """A failed answer is told as what it is."""
    seen = observe(events("s-0-(e,|)", written(TITLE)).pipe(lx.partial(Recipe)))

    assert seen[1:] == expect("----#", error=OVERLOADED.exception())


def test_of_several_answers_the_last_one_counts() -> None:
    """A chat may think aloud before it answers, and what calls tools is no answer."""
    lookup = {
        **written(WHOLE),
        "x": TextDelta("b", "Let me think about it."),
        "y": MessageCompleted(assistant("Let me think about it."), "stop"),
        "z": MessageCompleted(assistant("Let me think about it."), "tool_calls"),
    }

    for thinking in "yz":
        seen = items(events(f"s-x-{thinking}-s-0-(d,|)", lookup).pipe(lx.partial(Recipe)))
        assert seen[-1].steps == [Step(do="stir")]


def test_what_calls_tools_is_no_answer() -> None:
    """A stream that ends there has nothing to give, and nothing to blame."""
    thinking = {"x": TextDelta("b", "Let me look."), "z": MessageCompleted(assistant("Let me look."), "tool_calls")}

    assert observe(events("s-x-z-|", thinking).pipe(lx.partial(Recipe))) == expect("------|")


def test_an_answer_that_begins_again_is_read_again() -> None:
    """The text before a restart is void."""
    seen = items(events("s-0-r-s-1-(d,|)", {**written(TITLE, WHOLE), "d": written(WHOLE)["d"]}).pipe(lx.partial(Recipe)))

    assert [one.model_fields_set for one in seen] == [{"title"}, {"title", "steps"}, {"title", "steps"}]


@pytest.mark.parametrize("diagram", ["s-x-(d,|)", "s-(d,|)"], ids=["no deltas", "no text at all"])
def test_text_that_comes_at_once_is_read_as_well(diagram: str) -> None:
    """As a completed block, or only with the message."""
    seen = items(events(diagram, {**written(WHOLE), "x": TextCompleted("b", WHOLE)}).pipe(lx.partial(Recipe)))

    assert [len(one.steps) for one in seen] == [1, 1]


@pytest.mark.parametrize(("steps", "instances"), [(100, 24), (1000, 43), (10_000, 63)])
def test_a_long_answer_is_read_about_eight_times(steps: int, instances: int) -> None:
    """The number of instances grows with the logarithm of the text, so all of them together cost linear time."""
    text = TITLE + '"steps": [' + ", ".join(['{"do": "stir"}'] * steps) + "]}"
    pieces = [TextDelta("b", text[at : at + 4]) for at in range(0, len(text), 4)]
    answer = rx.from_iterable([*pieces, MessageCompleted(assistant(text), "stop")])

    assert lx.run(answer.pipe(lx.partial(Recipe), ops.count())) == instances


class Thing:
    pass


class Odd(BaseModel, arbitrary_types_allowed=True):
    title: str
    thing: Thing


class Colour(enum.Enum):
    RED = "red"


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float


class Square(BaseModel):
    kind: Literal["square"]
    side: float


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class Everything(BaseModel):
    when: date
    colour: Colour | None
    tags: tuple[str, ...]
    scores: dict[str, int]
    shape: Circle | Square
    days: Annotated[list[Annotated[date, "day"]], Field(min_length=3)]
    by: Sequence[str]
    more: Mapping[str, Step]
    tree: Tree
    named: str = Field(validation_alias=AliasChoices("called", "aka"))


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"when": "2024-01-3"}, {}),
        ({"when": "2024-01-31"}, {"when": date(2024, 1, 31)}),
        ({"colour": "re"}, {}),
        ({"colour": "red"}, {"colour": Colour.RED}),
        ({"colour": None}, {"colour": None}),
        ({"tags": ["a", 5, "b"]}, {"tags": ("a", "b")}),
        ({"tags": "a"}, {}),
        ({"scores": {"a": 1, "b": "x"}}, {"scores": {"a": 1}}),
        ({"scores": []}, {}),
        ({"days": ["2024-01-31", "2024-0"]}, {"days": [date(2024, 1, 31)]}),
        ({"by": ["Ada"]}, {"by": ["Ada"]}),
        ({"called": "x"}, {"named": "x"}),
        ({"aka": "x"}, {"named": "x"}),
        ({"unknown": 1}, {}),
    ],
    ids=str,
)
def test_a_value_is_there_when_it_fits(given: dict[str, Any], made: dict[str, Any]) -> None:
    """Converted to its type; one that is not whole enough is left out, also inside of others."""
    one = partial_model(Everything)(given)

    assert {name: getattr(one, name) for name in one.model_fields_set} == made


def test_a_union_is_decided_by_tags_and_keys() -> None:
    """As soon as they are there."""
    make = partial_model(Everything)

    assert isinstance(make({"shape": {"kind": "square"}}).shape, Square)
    assert isinstance(make({"shape": {"side": 2}}).shape, Square)
    assert isinstance(make({"shape": {"kind": "circle", "radius": 1}}).shape, Circle)


def test_a_class_may_contain_itself() -> None:
    """Trees grow like anything else."""
    tree = partial_model(Everything)({"tree": {"name": "a", "children": [{"name": "b", "children": [{}]}]}}).tree

    assert [child.children[0].model_fields_set for child in tree.children] == [set()]


def test_validators_of_the_class_do_not_see_what_is_not_whole() -> None:
    """They run once, on the last."""
    seen: list[str] = []

    class Checked(BaseModel):
        title: str

        @field_validator("title")
        @classmethod
        def look(cls, title: str) -> str:
            seen.append(title)
            return title

        @model_validator(mode="after")
        def whole(self) -> "Checked":
            assert self.title
            return self

    items(events("s-0-1-(d,|)", written('{"title": "A title of some length', ' indeed"}')).pipe(lx.partial(Checked)))

    assert seen == ["A title of some length indeed"]


def test_a_class_that_was_not_built_yet_is_built() -> None:
    """As one with `defer_build`, and those it holds."""

    class Inner(BaseModel, defer_build=True):
        a: int

    class Late(BaseModel, defer_build=True):
        inner: Inner

    assert partial_model(Late)({"inner": {"a": 1}}).inner.a == 1


def test_a_type_that_only_its_class_allows_comes_with_the_last() -> None:
    """Nobody knows how to make one of JSON."""
    assert partial_model(Odd)({"title": "x", "thing": {}}).model_fields_set == {"title"}


def test_a_list_can_be_the_whole() -> None:
    """As the root of a class."""

    class Steps(RootModel[list[Step]]):
        pass

    assert partial_model(Steps)([{"do": "stir"}, {}]).root[0] == Step(do="stir")


def test_a_class_that_cannot_bear_gaps_gives_only_the_last() -> None:
    """What it raises on its way is not the answer's fault."""

    class Strict(BaseModel):
        title: str
        steps: list[Step]

        def model_post_init(self, context: Any, /) -> None:
            len(self.steps)

    assert len(items(events("s-0-(d,|)", written(TITLE + '"steps": []}')).pipe(lx.partial(Strict)))) == 2
    assert len(items(events("s-0-1-(d,|)", written(TITLE, '"steps": []}')).pipe(lx.partial(Strict)))) == 1


def test_what_is_no_object_makes_no_instance() -> None:
    """A list, or nothing yet."""
    values: list[Any] = [[], None, "x", 5]
    for value in values:
        with pytest.raises(Unready):
            partial_model(Recipe)(value)


def test_each_subscription_reads_anew() -> None:
    """No text of one subscription is in another."""
    stream = events("s-0-(d,|)", written(WHOLE)).pipe(lx.partial(Recipe))

    assert observe(stream) == observe(stream)
