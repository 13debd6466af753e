"""A stream of events as the UI message stream of the AI SDK (npm package `ai`), which `useChat` reads.

Rule 1: the mapping is pure; `UiMessageStream` takes events and gives parts, and knows no server.
Rule 2: whatever a stream is cut to, the parts close what they opened, and end with `finish` or `abort`.
Rule 3: one stream of events, be it of a generation or a chat of many steps, is one message.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from allm_rx.data import events as ev
from allm_rx.data.model import parse_json
from allm_rx.data.parts import TextPart
from allm_rx.data.usage import Usage
from allm_rx.integrations.event_stream import respond

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web
    from reactivex import Observable

    from allm_rx.data.failures import Failure
    from allm_rx.data.parts import AudioPart, ImagePart, ResultContent, SourcePart

UiPart = dict[str, Any]
"""One part of the protocol: JSON with a `type`."""

_HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}
_REASONS = {"tool_calls": "tool-calls", "content_filter": "content-filter"}
"""The protocol's words where they are not ours."""


async def ui_message_response(
    request: web.Request,
    observable: Observable[ev.Event],
    *,
    message_id: str | None = None,
    keep_alive: float | None = 15.0,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Answer the request of an AI SDK chat, and return when the stream ends.

        async def api_chat(request):
            asked = (await request.json())["messages"][-1]
            text = "".join(part["text"] for part in asked["parts"] if part["type"] == "text")
            return await ui_message_response(request, stream(engine, text, tools=[weather]))

    Demand, leaving, comments and failures are those of `sse_response`: a stop button's `abort()` closes the provider's
    connection.

    Args:
        request: of aiohttp's server; its body has been read.
        observable: the events of a generation, a chat or a session.
        message_id: the id of the message; None leaves it to the client.
        keep_alive: seconds between comments that keep proxies from giving up; None sends none.
        headers: more headers, such as those of CORS.

    Raises:
        ValueError: `keep_alive` is not positive.
    """
    headers = {**_HEADERS, **(headers or {})}
    return await respond(request, observable, _Records(message_id), keep_alive=keep_alive, headers=headers)


class _Records:
    """The parts of one message, written."""

    def __init__(self, message_id: str | None) -> None:
        self._stream = UiMessageStream(message_id)

    def item(self, event: ev.Event, /) -> bytes:
        return _written(self._stream.feed(event))

    def failure(self, failure: Failure, /) -> bytes:
        return _written(self._stream.feed(ev.Error(failure=failure))) + self.end()

    def end(self) -> bytes:
        return _written(self._stream.finish()) + b"data: [DONE]\n\n"


def _written(parts: Sequence[UiPart]) -> bytes:
    return b"".join(b"data: %b\n\n" % to_json(part, inf_nan_mode="strings") for part in parts)


class UiMessageStream:
    """Turns the events of one message into the protocol's parts; one instance per stream."""

    def __init__(self, message_id: str | None = None) -> None:
        """Begin with nothing said.

        Args:
            message_id: the id of the message; None leaves it to the client.
        """
        self._message_id = message_id
        self._parts: list[UiPart] = []
        self._started = False
        self._in_step = False
        self._open: dict[tuple[str, str], int] = {}
        """Characters said of each block that is open."""
        self._calls: dict[str, str] = {}
        """Names of the calls whose input is not whole yet."""
        self._refused: set[str] = set()
        """Calls whose input was no good; they have been answered."""
        self._sources = 0
        self._finish_reason: str | None = None
        self._aborted = False
        self._usage = Usage()
        self._step_usage = Usage()
        self._model: str | None = None

    def feed(self, event: ev.Event) -> Sequence[UiPart]:
        """Give what an event means; nothing for those the protocol has no word for."""
        if type(event) is ev.TextDelta:  # the one event per token: no walk through the patterns
            self._say("text", event.id, event.delta)
        else:
            self._apply(event)
        return self._taken()

    def finish(self) -> Sequence[UiPart]:
        """Give what closes the message: `finish`, or `abort` where the events were left before their end."""
        self._start()
        self._end_step()
        if self._aborted or self._finish_reason is None:
            self._put("abort")
        else:
            metadata = {"model": self._model, "usage": self._usage.model_dump(mode="json", exclude_defaults=True)}
            reason = _REASONS.get(self._finish_reason, self._finish_reason)
            self._put("finish", finishReason=reason, messageMetadata={key: value for key, value in metadata.items() if value})
        return self._taken()

    def _apply(self, event: ev.Event) -> None:  # noqa: C901 - one arm per kind of the closed union
        match event:
            case ev.MessageStarted(model=model):
                self._model = model or self._model
                self._begin_step()
            case ev.TextDelta(id=block, delta=delta):
                self._say("text", block, delta)
            case ev.TextCompleted(id=block, text=text):
                self._settle("text", block, text)
            case ev.ReasoningDelta(id=block, delta=delta):
                self._say("reasoning", block, delta)
            case ev.ReasoningCompleted(id=block, text=text):
                self._settle("reasoning", block, text)
            case ev.ToolCallStarted(id=call, name=name, provider_executed=executed):
                self._calls[call] = name
                self._put("tool-input-start", toolCallId=call, toolName=name, **_executed(by_provider=executed))
            case ev.ToolCallDelta(id=call, arguments_delta=delta):
                self._put("tool-input-delta", toolCallId=call, inputTextDelta=delta)
            case ev.ToolCallCompleted():
                self._called(event)
            case ev.ToolResultReceived(id=call, content=content, is_error=is_error):
                self._answered(call, _shown(content), failed=is_error, providerExecuted=True)
            case ev.SourceAdded(part=part):
                self._cite(part)
            case ev.MediaCompleted(part=part):
                self._show(part)
            case ev.RawChunk(kind="usage", data=Usage() as usage):
                self._step_usage = self._step_usage.merge(usage)
            case ev.MessageCompleted(finish_reason=reason):
                self._finish_reason = reason
                self._close()
            case ev.MessageRestarted(failure=failure):
                self._restart(failure)
            case ev.Error(failure=failure):
                self._finish_reason = "error"
                self._give_up(failure)
                self._put("error", errorText=failure.message)
            case ev.ToolExecutionProgress(id=call):
                self._put("tool-output-available", toolCallId=call, output=_json(event)["value"], preliminary=True)
            case ev.ToolExecutionCompleted(id=call, outcome=outcome):
                if outcome.failure is not None:
                    self._answered(call, outcome.failure.message, failed=True)
                elif outcome.kind != "ask_user":
                    self._answered(call, _json(event)["outcome"]["value"], failed=False)
            case ev.AskUserRequested(tool_call_id=call, question=question, options=options):
                self._put("data-ask-user", id=call, data={"toolCallId": call, "question": question, "options": options})
            case ev.StepCompleted():
                self._end_step()
            case ev.ChatCompleted(result=result):
                self._aborted = result.halted_reason == "cancelled"
            case (
                ev.ProviderItem()
                | ev.RawChunk()
                | ev.ToolExecutionStarted()
                | ev.ToolResultEncoded()
                | ev.ToolHalt()
                | ev.SessionStarted()
                | ev.SessionCompleted()
            ):
                pass

    # What is open.

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._parts.append({"type": "start", **({} if self._message_id is None else {"messageId": self._message_id})})

    def _begin_step(self) -> None:
        self._end_step()
        self._start()
        self._in_step = True
        self._parts.append({"type": "start-step"})

    def _end_step(self) -> None:
        self._close()
        self._usage, self._step_usage = self._usage + self._step_usage, Usage()
        if self._in_step:
            self._in_step = False
            self._parts.append({"type": "finish-step"})

    def _close(self) -> None:
        """End the blocks that are open."""
        for kind, block in tuple(self._open):
            self._settle(kind, block, "")

    def _give_up(self, failure: Failure) -> None:
        """Answer the calls that were begun and will never be whole."""
        for call, name in self._calls.items():
            self._refused.add(call)
            self._put("tool-input-error", toolCallId=call, toolName=name, input=None, errorText=failure.message)
        self._calls.clear()
        self._close()

    def _restart(self, failure: Failure) -> None:
        """Begin another step: what was sent cannot be taken back."""
        self._give_up(failure)
        self._end_step()

    # What is said.

    def _put(self, kind: str, **fields: Any) -> None:
        self._start()
        if not self._in_step and kind not in ("finish", "abort", "error"):
            self._begin_step()
        self._parts.append({"type": kind, **fields})

    def _say(self, kind: str, block: str, delta: str) -> None:
        said = self._open.get((kind, block))
        if said is None:
            said = 0
            self._put(f"{kind}-start", id=block)
        self._open[kind, block] = said + len(delta)
        self._parts.append({"type": f"{kind}-delta", "id": block, "delta": delta})

    def _settle(self, kind: str, block: str, text: str) -> None:
        """End a block, after what its deltas left out."""
        rest = text[self._open.get((kind, block), 0) :]
        if rest:
            self._say(kind, block, rest)
        if self._open.pop((kind, block), None) is not None:
            self._put(f"{kind}-end", id=block)

    def _called(self, event: ev.ToolCallCompleted) -> None:
        self._calls.pop(event.id, None)
        call = {"toolCallId": event.id, "toolName": event.name, **_executed(by_provider=event.provider_executed)}
        if event.error is None:
            self._put("tool-input-available", **call, input=event.arguments)
        else:
            self._refused.add(event.id)
            self._put("tool-input-error", **call, input=event.raw_arguments, errorText=event.error)

    def _answered(self, call: str, output: Any, *, failed: bool, **more: Any) -> None:
        if call in self._refused:
            return
        if failed:
            self._put("tool-output-error", toolCallId=call, errorText=output if isinstance(output, str) else str(output), **more)
        else:
            self._put("tool-output-available", toolCallId=call, output=output, **more)

    def _cite(self, part: SourcePart) -> None:
        self._sources += 1
        source = f"source-{self._sources}"
        if part.url is not None:
            title = {} if part.title is None else {"title": part.title}
            self._put("source-url", sourceId=source, url=part.url, **title)
        else:
            title = part.title or part.document_id or source
            self._put("source-document", sourceId=source, mediaType="text/plain", title=title)

    def _show(self, part: ImagePart | AudioPart) -> None:
        url = part.url
        if part.data is not None:
            url = f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"
        if url is not None:  # a provider's file id is nothing a browser can show
            self._put("file", url=url, mediaType=part.media_type or "application/octet-stream")

    def _taken(self) -> Sequence[UiPart]:
        parts, self._parts = self._parts, []
        return parts


def _executed(*, by_provider: bool) -> UiPart:
    return {"providerExecuted": True} if by_provider else {}


def _json(event: ev.Event) -> dict[str, Any]:
    """Give an event as JSON, as values of a program's own are written there."""
    return parse_json(ev.dumps(event))


def _shown(content: Sequence[ResultContent]) -> Any:
    """Give a tool's result: its text where it is nothing else."""
    if all(isinstance(part, TextPart) for part in content):
        return "".join(part.text for part in content if isinstance(part, TextPart))
    return [part.model_dump(mode="json", exclude_defaults=True) for part in content]
