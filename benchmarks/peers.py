"""How other packages read the same answers, as their documentation says: `python -m benchmarks.peers NAME`.

Runs in the environment of `.lock/peers.txt`, as a process per package; see `benchmarks.worker`.

Rule 1: each is used in the fastest of its asynchronous streaming forms that its documentation shows; who takes a client of
the `openai` package gets the one over aiohttp, which that package recommends for many streams.
Rule 2: retries, telemetry and tracing are off; a connection pool is kept, as for everybody.
Rule 3: what its documentation offers to put an answer together is used for that.
"""

# pyright: basic, reportMissingImports=false
# The checked environment has not all of these packages, and those that have types would need their own for a message each.

import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from benchmarks.answers import TOOL
from benchmarks.worker import Contestant, serve

# ruff: noqa: D102, PLC0415 - `Contestant` says what the methods do; a process imports the one package that it measures

KEY = "sk-bench"
MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
PARAMETERS = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
TOOLS: list[Any] = [{"type": "function", "function": {"name": TOOL, "description": "Add one.", "parameters": PARAMETERS}}]
ASKED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


async def add_one(number: int) -> int:
    """Add one."""
    return number + 1


def _openai_client(url: str) -> Any:
    import openai

    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_client=openai.DefaultAioHttpClient())


class OpenAIPackage(Contestant):
    """`openai`: `create(stream=True)`, and its `stream` helper to put an answer together."""

    def __init__(self, url: str) -> None:
        self._completions = _openai_client(url).chat.completions

    async def pieces(self) -> AsyncGenerator[str, None]:
        async with await self._completions.create(model="m", messages=MESSAGES, **ASKED) as stream:
            async for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield text

    async def fold(self) -> int:
        options: Any = {"include_usage": True}
        async with self._completions.stream(model="m", messages=MESSAGES, stream_options=options) as stream:
            completion = await stream.get_final_completion()
        return len(completion.choices[0].message.content or "")

    async def chat(self) -> int:
        messages = list(MESSAGES)
        while True:
            calls: dict[int, Any] = {}
            async with await self._completions.create(model="m", messages=messages, tools=TOOLS, **ASKED) as stream:
                async for chunk in stream:
                    for part in (chunk.choices[0].delta.tool_calls or ()) if chunk.choices else ():
                        if part.index in calls:
                            calls[part.index].function.arguments += part.function.arguments
                        else:
                            calls[part.index] = part
            if not calls:
                return sum(message["role"] == "tool" for message in messages)
            asked = [call.model_dump(exclude={"index"}) for call in calls.values()]
            messages.append({"role": "assistant", "tool_calls": asked})
            for call in calls.values():
                result = await add_one(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": str(result)})


class AnthropicPackage(Contestant):
    """`anthropic`: `create(stream=True)`, and its `stream` helper to put an answer together."""

    def __init__(self, url: str) -> None:
        import anthropic

        http = anthropic.DefaultAioHttpClient()
        self._client = anthropic.AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0, http_client=http)

    async def pieces(self) -> AsyncGenerator[str, None]:
        async with await self._client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True) as stream:
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    yield event.delta.text

    async def fold(self) -> int:
        async with self._client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
            message = await stream.get_final_message()
        return sum(len(block.text) for block in message.content if block.type == "text")

    async def chat(self) -> int:
        messages = list(MESSAGES)
        tools: Any = [{"name": TOOL, "description": "Add one.", "input_schema": PARAMETERS}]
        results = 0
        while True:
            async with self._client.messages.stream(model="m", max_tokens=9, messages=messages, tools=tools) as stream:
                message = await stream.get_final_message()
            calls: list[Any] = [block for block in message.content if block.type == "tool_use"]
            if not calls:
                return results
            messages.append({"role": "assistant", "content": message.content})
            for call in calls:
                text = str(await add_one(**call.input))
                messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": text}]})
                results += 1


class LiteLLM(Contestant):
    """`litellm`: `acompletion(stream=True)` and `stream_chunk_builder`."""

    def __init__(self, url: str) -> None:
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        import litellm

        litellm.suppress_debug_info = True
        self._litellm: Any = litellm
        self._options = {"model": "openai/m", "api_base": f"{url}/v1", "api_key": KEY, "max_retries": 0, **ASKED}

    async def pieces(self) -> AsyncGenerator[str, None]:
        async with aclosing(await self._litellm.acompletion(messages=MESSAGES, **self._options)) as stream:
            async for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield text

    async def fold(self) -> int:
        chunks = [chunk async for chunk in await self._litellm.acompletion(messages=MESSAGES, **self._options)]
        whole = self._litellm.stream_chunk_builder(chunks, messages=MESSAGES)
        return len(whole.choices[0].message.content)

    async def chat(self) -> int:
        messages = list(MESSAGES)
        while True:
            stream = await self._litellm.acompletion(messages=messages, tools=TOOLS, **self._options)
            whole = self._litellm.stream_chunk_builder([chunk async for chunk in stream], messages=messages)
            message = whole.choices[0].message
            if not message.tool_calls:
                return sum(message["role"] == "tool" for message in messages)
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls:
                result = await add_one(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": str(result)})


class PydanticAI(Contestant):
    """`pydantic-ai`: direct requests to a model, cheaper than an agent's; and an agent for the tool."""

    def __init__(self, url: str) -> None:
        from pydantic_ai import Agent, ModelRequest, PartDeltaEvent, PartStartEvent
        from pydantic_ai.direct import model_request_stream
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        model = OpenAIChatModel("m", provider=OpenAIProvider(openai_client=_openai_client(url)))
        self._begun, self._went_on = PartStartEvent, PartDeltaEvent
        self._ask: Any = lambda: model_request_stream(model, [ModelRequest.user_text_prompt("hi")])
        self._agent = Agent(model)
        self._agent.tool_plain(add_one)

    async def pieces(self) -> AsyncGenerator[str, None]:
        async with self._ask() as stream:
            async for event in stream:
                if isinstance(event, self._went_on):
                    yield event.delta.content_delta
                elif isinstance(event, self._begun):
                    yield event.part.content

    async def fold(self) -> int:
        async with self._ask() as stream:
            async for _ in stream:
                pass
            return len(stream.get().text)

    async def chat(self) -> int:
        from pydantic_ai.usage import UsageLimits

        async with self._agent.run_stream("hi", usage_limits=UsageLimits(request_limit=None)) as result:
            await result.get_output()
            return sum(part.part_kind == "tool-return" for message in result.all_messages() for part in message.parts)


class LangChainOpenAI(Contestant):
    """`langchain-openai`: `astream` of `ChatOpenAI`, and the sum of its chunks."""

    def __init__(self, url: str) -> None:
        os.environ.update(LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false")
        import openai
        from langchain_openai import ChatOpenAI

        options: dict[str, Any] = {"base_url": f"{url}/v1", "api_key": KEY, "max_retries": 0, "stream_usage": True}
        self._model = ChatOpenAI(model="m", http_async_client=openai.DefaultAioHttpClient(), **options)

    async def pieces(self) -> AsyncGenerator[str, None]:
        stream: Any = self._model.astream("hi")
        async with aclosing(stream):
            async for chunk in stream:
                if chunk.content:
                    yield chunk.content

    async def fold(self) -> int:
        return len((await self._whole(self._model, "hi")).content)

    async def chat(self) -> int:
        from langchain_core.messages import HumanMessage, ToolMessage

        model = self._model.bind_tools(TOOLS)
        messages: list[Any] = [HumanMessage("hi")]
        while True:
            message = await self._whole(model, messages)
            messages.append(message)
            if not message.tool_calls:
                return sum(isinstance(message, ToolMessage) for message in messages)
            for call in message.tool_calls:
                result = await add_one(**call["args"])
                messages.append(ToolMessage(str(result), tool_call_id=call["id"]))

    async def _whole(self, model: Any, messages: Any) -> Any:
        whole: Any = None
        async for chunk in model.astream(messages):
            whole = chunk if whole is None else whole + chunk
        return whole


PEERS: dict[str, type[Contestant]] = {
    "openai": OpenAIPackage,
    "anthropic": AnthropicPackage,
    "litellm": LiteLLM,
    "pydantic-ai-slim": PydanticAI,
    "langchain-openai": LangChainOpenAI,
}
"""By the name of the distribution."""


if __name__ == "__main__":
    serve(PEERS[sys.argv[1]])
