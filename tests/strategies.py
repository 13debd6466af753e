"""Hypothesis strategies for every data model and every event.

Text is all of Unicode but lone surrogates; numbers are everything but NaN, which equals nothing, itself included.
"""

from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure, FailureKind
from allm_rx.data.messages import Message
from allm_rx.data.model import Data
from allm_rx.data.parts import (
    AudioPart,
    Dialect,
    FilePart,
    ImagePart,
    Part,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.requests import AllowedTools, JsonSchema, PromptCache, Reasoning, Request
from allm_rx.data.responses import FinishReason, Response
from allm_rx.data.results import ChatResult, PendingQuestion, StepResult, ToolOutcome
from allm_rx.data.sessions import LastHalt, Session, SessionStatus, Turn
from allm_rx.data.threads import Thread
from allm_rx.data.tools import ProviderTool, Tool
from allm_rx.data.usage import Usage
from allm_rx.errors import (
    AdapterError,
    AllmError,
    EngineError,
    SessionError,
    StreamError,
    ToolError,
    UsageError,
    ValidationError,
)

CLASSES: dict[str, type[AllmError]] = {
    "UsageError": UsageError,
    "EngineError": EngineError,
    "ValidationError": ValidationError,
    "SessionError": SessionError,
    "AdapterError": AdapterError,
    "StreamError": StreamError,
    "ToolError": ToolError,
}
"""Every class of `AllmError` that can be raised, by the name a `Failure` has for it."""

texts = st.text(max_size=12)
names = st.text("abcxyz019_-", min_size=1, max_size=8)
bools = st.booleans()
numbers = st.floats(allow_nan=False)
seconds = st.floats(min_value=0.001, allow_nan=False)

json_values: SearchStrategy[Any] = st.recursive(
    st.none() | bools | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(texts, json_values, max_size=3)
provider_data = st.dictionaries(st.sampled_from(get_args(Dialect)), json_values, max_size=2)


def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """None, or one of the values."""
    return st.none() | strategy


def tuples(strategy: SearchStrategy[Any], most: int = 2) -> SearchStrategy[tuple[Any, ...]]:
    """Up to `most` of the values."""
    return st.lists(strategy, max_size=most).map(tuple)


def choices(literal: Any) -> SearchStrategy[Any]:
    """One of the words of a `Literal`."""
    return st.sampled_from(get_args(literal))


def media(cls: type[Any], **fields: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """A part with bytes, a URL or a file id."""
    fields["provider_data"] = provider_data
    return st.one_of(
        st.builds(cls, data=st.binary(max_size=12), media_type=texts, **fields),
        st.builds(cls, url=texts, media_type=maybe(texts), **fields),
        st.builds(cls, file_id=texts, media_type=maybe(texts), **fields),
    )


text_parts = st.builds(TextPart, text=texts, provider_data=provider_data)
reasoning_parts = st.builds(ReasoningPart, text=texts, provider_data=provider_data)
tool_calls = st.builds(
    ToolCall,
    id=names,
    name=texts,
    arguments=json_objects,
    raw_arguments=maybe(texts),
    error=maybe(texts),
    provider_executed=bools,
    provider_data=provider_data,
)
image_parts = media(ImagePart)
file_parts = media(FilePart, filename=maybe(texts))
audio_parts = media(AudioPart, transcript=maybe(texts))
source_parts = st.builds(
    SourcePart,
    url=maybe(texts),
    title=maybe(texts),
    document_id=maybe(texts),
    start=maybe(st.integers()),
    end=maybe(st.integers()),
    quote=maybe(texts),
    block_id=maybe(texts),
    provider_data=provider_data,
)
provider_parts = st.builds(ProviderPart, kind=texts, provider_data=provider_data)
result_contents = tuples(st.one_of(text_parts, image_parts, file_parts, audio_parts))
tool_results = st.builds(
    ToolResultPart,
    id=names,
    name=maybe(names),
    content=result_contents,
    is_error=bools,
    provider_executed=bools,
    provider_data=provider_data,
)
parts: SearchStrategy[Part] = st.one_of(
    text_parts,
    reasoning_parts,
    tool_calls,
    tool_results,
    image_parts,
    file_parts,
    audio_parts,
    source_parts,
    provider_parts,
)

messages = st.one_of(
    st.builds(
        Message,
        role=st.sampled_from(["system", "user", "assistant"]),
        content=tuples(parts, 3) | texts,
        name=maybe(texts),
        tool_call_id=maybe(texts),
        metadata=json_objects,
        provider_data=provider_data,
    ),
    st.builds(Message, role=st.just("tool"), content=tuples(parts, 3), metadata=json_objects),
    st.builds(
        Message,
        role=st.just("tool"),
        tool_call_id=names,
        name=maybe(names),
        content=result_contents | texts,
        provider_data=provider_data,
    ),
)
threads = st.builds(Thread, messages=tuples(messages), metadata=json_objects)

tools = st.builds(
    Tool,
    name=texts,
    description=texts,
    parameters=json_objects,
    summary=maybe(texts),
    strict=maybe(bools),
    manual=bools,
    timeout=maybe(seconds),
    metadata=json_objects,
)
provider_tools = st.builds(ProviderTool, dialect=choices(Dialect), spec=json_objects)

json_schemas = st.builds(JsonSchema, name=texts, json_schema=json_objects, strict=bools, description=maybe(texts))
reasonings = st.builds(
    Reasoning,
    effort=st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    budget_tokens=maybe(st.integers(min_value=0)),
    summary=st.sampled_from([None, "auto", "concise", "detailed", "none"]),
)
prompt_caches = st.builds(PromptCache, key=maybe(st.text(min_size=1, max_size=4)), retention=st.sampled_from(["short", "long"]))
allowed_tools = st.builds(
    AllowedTools, names=st.lists(texts, min_size=1, max_size=3).map(tuple), mode=st.sampled_from(["auto", "required"])
)
requests = st.builds(
    Request,
    messages=tuples(messages),
    tools=tuples(tools | provider_tools),
    model=maybe(texts),
    tool_choice=maybe(texts | allowed_tools),
    temperature=maybe(numbers),
    top_p=maybe(numbers),
    max_tokens=maybe(st.integers()),
    stop=maybe(tuples(texts)),
    seed=maybe(st.integers()),
    response_format=maybe(json_schemas | st.sampled_from(["json_object", "text"])),
    reasoning=maybe(reasonings),
    prompt_cache=maybe(prompt_caches),
    provider_options=json_objects,
    metadata=json_objects,
)

usages = st.builds(
    Usage,
    input_tokens=maybe(st.integers()),
    output_tokens=maybe(st.integers()),
    cached_input_tokens=maybe(st.integers()),
    cache_write_input_tokens=maybe(st.integers()),
    reasoning_tokens=maybe(st.integers()),
    total_tokens=maybe(st.integers()),
    input_cost=maybe(numbers),
    output_cost=maybe(numbers),
    total_cost=maybe(numbers),
    extra=json_objects,
)


def _failures_of(kind: str) -> SearchStrategy[Failure]:
    return st.builds(
        Failure,
        kind=st.just(kind),
        reason=st.sampled_from(sorted(CLASSES[kind].reasons)),
        message=texts,
        provider=maybe(texts),
        status=maybe(st.integers(100, 599)),
        retry_after=maybe(numbers),
        request_id=maybe(texts),
        provider_request_id=maybe(texts),
        code=maybe(texts),
        details=json_objects,
    )


failures: SearchStrategy[Failure] = choices(FailureKind).flatmap(_failures_of)

finish_reasons = maybe(choices(FinishReason))
responses = st.builds(
    Response,
    id=maybe(texts),
    request_id=maybe(texts),
    provider_request_id=maybe(texts),
    provider=maybe(texts),
    model=maybe(texts),
    message=messages,
    finish_reason=finish_reasons,
    raw_finish_reason=maybe(texts),
    usage=usages,
    error=maybe(failures),
    metadata=json_objects,
)
tool_outcomes = st.builds(
    ToolOutcome,
    kind=st.sampled_from(["value", "error", "ask_user", "halt"]),
    value=json_values,
    failure=maybe(failures),
    reason=maybe(texts),
)
pending_questions = st.builds(PendingQuestion, tool_call_id=names, tool_name=texts, question=texts, options=json_objects)
step_results = st.builds(
    StepResult,
    index=st.integers(0, 9),
    thread=threads,
    response=responses,
    tool_results=tuples(tool_results),
    pending_tool_calls=tuples(tool_calls),
    pending_questions=tuples(pending_questions),
    halted_reason=maybe(texts),
)
chat_results = st.builds(ChatResult, thread=threads, steps=tuples(step_results, 1), halted_reason=texts, error=maybe(failures))
last_halts = st.builds(LastHalt, reason=texts, failure=maybe(failures))
sessions = st.builds(
    Session,
    id=texts,
    thread=threads,
    status=choices(SessionStatus),
    pending_tool_calls=tuples(tool_calls),
    pending_questions=tuples(pending_questions),
    context=json_objects,
    metadata=json_objects,
    last_halt=maybe(last_halts),
)
turns = st.builds(Turn, session=sessions, result=chat_results | step_results)

timeouts = st.builds(
    Timeouts,
    connect=maybe(seconds),
    first=maybe(seconds),
    idle=maybe(seconds),
    stall=maybe(seconds),
    total=maybe(seconds),
)
retry_policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 10_000),
    base_delay=st.floats(0, 10),
    max_delay=st.floats(10, 100),
    jitter=st.floats(0, 10),
    retry_on=st.frozensets(st.integers(100, 599) | texts, max_size=4),
    respect_retry_after=bools,
    restart=bools,
)

MODELS: dict[type[Data], SearchStrategy[Any]] = {
    AllowedTools: allowed_tools,
    AudioPart: audio_parts,
    ChatResult: chat_results,
    Failure: failures,
    FilePart: file_parts,
    ImagePart: image_parts,
    JsonSchema: json_schemas,
    LastHalt: last_halts,
    Message: messages,
    PendingQuestion: pending_questions,
    PromptCache: prompt_caches,
    ProviderPart: provider_parts,
    ProviderTool: provider_tools,
    Reasoning: reasonings,
    ReasoningPart: reasoning_parts,
    Request: requests,
    Response: responses,
    RetryPolicy: retry_policies,
    Session: sessions,
    SourcePart: source_parts,
    StepResult: step_results,
    TextPart: text_parts,
    Thread: threads,
    Timeouts: timeouts,
    Tool: tools,
    ToolCall: tool_calls,
    ToolOutcome: tool_outcomes,
    ToolResultPart: tool_results,
    Turn: turns,
    Usage: usages,
}
"""Every data model, and what makes one."""

deltas = st.text(min_size=1, max_size=6)

EVENTS: dict[str, SearchStrategy[Any]] = {
    "message_started": st.builds(
        ev.MessageStarted,
        message_id=maybe(texts),
        provider=maybe(texts),
        model=maybe(texts),
        request_id=maybe(texts),
        provider_request_id=maybe(texts),
    ),
    "text_delta": st.builds(ev.TextDelta, id=names, delta=deltas),
    "text_completed": st.builds(ev.TextCompleted, id=names, text=texts, provider_data=provider_data),
    "reasoning_delta": st.builds(ev.ReasoningDelta, id=names, delta=deltas),
    "reasoning_completed": st.builds(ev.ReasoningCompleted, id=names, text=texts, provider_data=provider_data),
    "tool_call_started": st.builds(ev.ToolCallStarted, id=names, name=texts, provider_executed=bools),
    "tool_call_delta": st.builds(ev.ToolCallDelta, id=names, arguments_delta=deltas),
    "tool_call_completed": st.builds(
        ev.ToolCallCompleted,
        id=names,
        name=texts,
        arguments=json_objects,
        raw_arguments=maybe(texts),
        error=maybe(texts),
        provider_executed=bools,
        provider_data=provider_data,
    ),
    "tool_result_received": st.builds(
        ev.ToolResultReceived,
        id=names,
        name=maybe(texts),
        content=result_contents,
        is_error=bools,
        provider_data=provider_data,
    ),
    "source_added": st.builds(ev.SourceAdded, part=source_parts),
    "media_completed": st.builds(ev.MediaCompleted, id=names, part=image_parts | audio_parts),
    "provider_item": st.builds(ev.ProviderItem, part=provider_parts),
    "raw_chunk": st.one_of(
        st.builds(ev.RawChunk, kind=st.just("usage"), data=usages),
        st.builds(ev.RawChunk, kind=texts.map("raw:{}".format), data=json_values),
    ),
    "message_completed": st.builds(
        ev.MessageCompleted, message=messages, finish_reason=finish_reasons, raw_finish_reason=maybe(texts)
    ),
    "message_restarted": st.builds(ev.MessageRestarted, attempt=st.integers(2, 9), failure=failures),
    "error": st.builds(ev.Error, failure=failures),
    "tool_execution_started": st.builds(ev.ToolExecutionStarted, id=names, name=texts, arguments=json_objects),
    "tool_execution_progress": st.builds(ev.ToolExecutionProgress, id=names, name=texts, value=json_values),
    "tool_execution_completed": st.builds(ev.ToolExecutionCompleted, id=names, name=texts, outcome=tool_outcomes),
    "tool_result_encoded": st.builds(ev.ToolResultEncoded, id=names, content=result_contents),
    "ask_user_requested": st.builds(
        ev.AskUserRequested, tool_call_id=names, tool_name=texts, question=texts, options=json_objects
    ),
    "tool_halt": st.builds(ev.ToolHalt, tool_call_id=names, reason=texts, result=json_values),
    "step_completed": st.builds(ev.StepCompleted, index=st.integers(0, 9), result=step_results),
    "chat_completed": st.builds(ev.ChatCompleted, result=chat_results),
    "session_started": st.builds(ev.SessionStarted, session=sessions),
    "session_completed": st.builds(ev.SessionCompleted, turn=turns),
}
"""Every event by its `type`, and what makes one."""

few_ids = st.sampled_from(["a", "b"])
"""Ids that collide, as those of the events of one message do."""

content_events: SearchStrategy[ev.Event] = st.one_of(
    st.builds(ev.TextDelta, id=few_ids, delta=deltas),
    st.builds(ev.TextCompleted, id=few_ids, text=texts, provider_data=provider_data),
    st.builds(ev.ReasoningDelta, id=few_ids, delta=deltas),
    st.builds(ev.ReasoningCompleted, id=few_ids, text=texts, provider_data=provider_data),
    st.builds(ev.ToolCallStarted, id=few_ids, name=names),
    st.builds(ev.ToolCallDelta, id=few_ids, arguments_delta=deltas),
    st.builds(ev.ToolCallCompleted, id=few_ids, name=names, arguments=json_objects),
    st.builds(ev.ToolResultReceived, id=few_ids, name=names, content=result_contents),
    st.builds(ev.MediaCompleted, id=few_ids, part=image_parts | audio_parts),
    EVENTS["source_added"],
    EVENTS["provider_item"],
)
"""Content of one message, its ids colliding."""

events: SearchStrategy[ev.Event] = st.one_of(content_events, *EVENTS.values())
"""Any event."""


def damaged(text: SearchStrategy[str]) -> SearchStrategy[str]:
    """JSON that was cut, doubled or overwritten somewhere."""

    @st.composite
    def damage(draw: st.DrawFn) -> str:
        whole = draw(text)
        start = draw(st.integers(0, len(whole)))
        end = draw(st.integers(start, len(whole)))
        middle = draw(st.sampled_from(["", whole[start:end] * 2, "{}", "[", '"', "null", "1e999"]) | st.text(max_size=3))
        return whole[:start] + middle + whole[end:]

    return damage()
