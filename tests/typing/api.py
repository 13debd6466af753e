"""Claims about the types of the public data API: checked by pyright and mypy, never run."""

from typing import Any, assert_never, assert_type

import pydantic

from allm_rx import errors
from allm_rx.data import events
from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import ImagePart, Part, ReasoningPart, SourcePart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.requests import Request, json_schema
from allm_rx.data.responses import FinishReason, Response
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.data.tools import ProviderTool, Tool, provider_tool
from allm_rx.data.usage import Usage
from allm_rx.reducers.response import ResponseFold


def a_message_is_written_in_short_and_in_long(image: ImagePart) -> None:
    assert_type(user("hi"), Message)
    assert_type(user(["What is this?", image], name="Ada"), Message)
    assert_type(system("Be brief."), Message)
    assert_type(assistant(), Message)
    assert_type(tool_result("c1", "sunny", is_error=False), Message)
    Message(role="user", content="hi")
    Message(role="robot")  # type: ignore[arg-type]
    Message("user")  # type: ignore[call-arg]


def a_message_tells_what_is_in_it(message: Message) -> None:
    assert_type(message.content, tuple[Part, ...])
    assert_type(message.text, str)
    assert_type(message.reasoning, str)
    assert_type(message.tool_calls, tuple[ToolCall, ...])
    assert_type(message.tool_results, tuple[ToolResultPart, ...])
    assert_type(message.tool_call_id, str | None)


def data_goes_to_json_and_back(text: str) -> None:
    assert_type(Session.model_validate_json(text), Session)
    assert_type(Message.model_validate({"role": "user"}), Message)
    assert_type(user("hi").replace(name="Ada"), Message)
    assert_type(user("hi").model_dump_json(), str)
    assert_type(hash(user("hi")), int)


def a_thread_grows(thread: Thread) -> None:
    assert_type(thread.append(user("hi"), assistant("ho")), Thread)
    assert_type(thread.messages, tuple[Message, ...])
    assert_type(thread.unanswered_calls, tuple[ToolCall, ...])
    thread.append("hi")  # type: ignore[arg-type]


def a_request_has_options(tool: Tool) -> None:
    request = Request(messages=(user("hi"),), tools=(tool, provider_tool("gemini", {})), response_format=json_schema({}))
    assert_type(request.tools, tuple[Tool | ProviderTool, ...])
    assert_type(request.temperature, float | None)
    assert_type(request.max_tokens, int | None)


def a_response_is_read(response: Response, model: type[pydantic.BaseModel]) -> None:
    assert_type(response.output_text, str)
    assert_type(response.finish_reason, FinishReason | None)
    assert_type(response.usage, Usage)
    assert_type(response.error, Failure | None)
    assert_type(response.sources, tuple[SourcePart, ...])
    assert_type(response.raise_for_error(), Response)
    assert_type(response.parsed(Timeouts), Timeouts)
    assert_type(response.parsed(model), pydantic.BaseModel)


def usage_adds_up(left: Usage, right: Usage) -> None:
    assert_type(left + right, Usage)
    assert_type(left.merge(right), Usage)
    assert_type(left.input_tokens, int | None)
    assert_type(left.total_cost, float | None)


def results_tell_about_their_steps(chat: ChatResult, turn: Turn) -> None:
    assert_type(chat.final_response, Response | None)
    assert_type(chat.steps, tuple[StepResult, ...])
    assert_type(chat.usage, Usage)
    assert_type(turn.result, ChatResult | StepResult)


def a_failure_is_an_exception_as_a_value(error: errors.AllmError) -> None:
    assert_type(Failure.of(error), Failure)
    assert_type(Failure.of(error).exception(), errors.AllmError)
    assert_type(error.retry_after, float | None)
    assert_type(errors.ValidationError("invalid_request", "x").errors, tuple[errors.Issue, ...])
    errors.ToolError("rate_limited", "x")  # type: ignore[arg-type]


def a_policy_tells_how_long(policy: RetryPolicy, failure: Failure) -> None:
    assert_type(policy.allows(failure), bool)
    assert_type(policy.delay(1, failure, chance=0.5), float | None)


def events_are_made_by_position_or_name() -> None:
    assert_type(events.TextDelta("0", "a"), events.TextDelta)
    assert_type(events.TextDelta(id="0", delta="a").delta, str)
    assert_type(events.MessageStarted(), events.MessageStarted)
    events.TextDelta("0")  # type: ignore[call-arg]
    events.TextDelta("0", 5)  # type: ignore[arg-type]


def events_are_frozen(delta: events.TextDelta, error: events.Error, failure: Failure) -> None:
    delta.delta = "b"  # type: ignore[misc]
    error.failure = failure  # type: ignore[misc]
    assert_type(hash(delta), int)


def events_go_to_json_and_back(event: events.Event) -> None:
    assert_type(events.dumps(event), str)
    assert_type(events.loads("{}"), events.Event)


def a_match_over_content_events_is_exhaustive(event: events.ContentEvent) -> None:
    match event:
        case events.TextDelta(id=block, delta=delta) | events.ReasoningDelta(id=block, delta=delta):
            assert_type((block, delta), tuple[str, str])
        case events.TextCompleted(text=text) | events.ReasoningCompleted(text=text):
            assert_type(text, str)
        case events.ToolCallStarted(name=name):
            assert_type(name, str)
        case events.ToolCallDelta() | events.ToolCallCompleted() | events.ToolResultReceived():
            pass
        case events.SourceAdded() | events.MediaCompleted() | events.ProviderItem():
            pass
        case _:
            assert_never(event)


def a_match_that_forgets_a_kind_is_refused(event: events.Error | events.TextDelta) -> None:
    match event:
        case events.TextDelta():
            pass
        case _:
            assert_never(event)  # type: ignore[arg-type]


def a_match_over_all_events_is_exhaustive(event: events.Event) -> None:  # noqa: C901 - one arm per group of kinds
    match event:
        case events.MessageStarted() | events.MessageCompleted() | events.MessageRestarted() | events.Error():
            pass
        case events.TextDelta() | events.TextCompleted() | events.ReasoningDelta() | events.ReasoningCompleted():
            pass
        case events.ToolCallStarted() | events.ToolCallDelta() | events.ToolCallCompleted():
            pass
        case events.ToolResultReceived() | events.SourceAdded() | events.MediaCompleted() | events.ProviderItem():
            pass
        case events.RawChunk(data=data):
            assert_type(data, Any)
        case events.ToolExecutionStarted() | events.ToolExecutionProgress() | events.ToolExecutionCompleted():
            pass
        case events.ToolResultEncoded() | events.AskUserRequested() | events.ToolHalt():
            pass
        case events.StepCompleted(result=step):
            assert_type(step, StepResult)
        case events.ChatCompleted(result=chat):
            assert_type(chat, ChatResult)
        case events.SessionStarted(session=session):
            assert_type(session, Session)
        case events.SessionCompleted(turn=turn):
            assert_type(turn, Turn)
        case _:
            assert_never(event)


def a_match_over_parts_is_exhaustive(part: TextPart | ReasoningPart | ToolCall) -> None:
    match part:
        case TextPart(text=text) | ReasoningPart(text=text):
            assert_type(text, str)
        case ToolCall(arguments=arguments):
            assert_type(arguments, dict[str, pydantic.JsonValue])
        case _:
            assert_never(part)


def a_fold_gives_a_response(fold: ResponseFold, event: events.Event) -> None:
    assert_type(fold.apply(event), ResponseFold)
    assert_type(fold.response(), Response)
    assert_type(fold.snapshot().text, str)
