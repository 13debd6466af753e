"""Tools that the API knows itself: what they are called here, what they were given, and what they gave back.

Rule 1: the item is kept whole beside all of this, so what is left out here is lost to nobody.
Rule 2: any JSON gives some content, never an exception.
Rule 3: some of these tools run on the application's machine; which of them do, the request that offers them says.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from allm_rx.adapters.openai.media import image_of
from allm_rx.adapters.openai.responses.wire import DIALECT, as_json, kept, without
from allm_rx.data.parts import ImagePart, TextPart
from allm_rx.data.tools import ProviderTool
from allm_rx.wire.shapes import as_object, as_objects, as_text, as_word
from allm_rx.wire.text import repair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from allm_rx.adapters.openai.responses.wire import Wire
    from allm_rx.data.parts import ResultContent
    from allm_rx.data.requests import AnyTool

CALLS = {
    "apply_patch_call": "apply_patch",
    "code_interpreter_call": "code_interpreter",
    "computer_call": "computer",
    "file_search_call": "file_search",
    "local_shell_call": "local_shell",
    "shell_call": "shell",
    "web_search_call": "web_search",
}
"""Types of items that call a tool of the API, and the name of the tool."""

_ALWAYS_HOSTED = frozenset({"code_interpreter_call", "file_search_call", "web_search_call"})
_OFFERED = {
    "apply_patch": "apply_patch_call",
    "computer": "computer_call",
    "computer_use_preview": "computer_call",
    "local_shell": "local_shell_call",
}
"""Types of tools that run at the application, and of the items that call them."""

_XAI = ("browse_page", "code_execution", "view_image", "view_x_video", "web_search", "x_")
"""How the names of tools begin that xAI runs itself and lists as custom ones."""

_MEDIA_TYPES = {"jpg": "image/jpeg", "svg": "image/svg+xml"}


def client_side(tools: Iterable[AnyTool]) -> frozenset[str]:
    """Give what the application has to run of these tools: types of items, and names of custom tools."""
    specs = [tool.spec for tool in tools if isinstance(tool, ProviderTool) and tool.dialect == DIALECT]
    kinds = {_OFFERED[kind] for spec in specs if (kind := as_word(spec.get("type"))) in _OFFERED}
    names = {as_word(spec.get("name")) for spec in specs if spec.get("type") == "custom"}
    local = any(spec.get("type") == "shell" and not _is_container(spec) for spec in specs)
    return frozenset(kinds | names | ({"shell_call"} if local else set()))


def _is_container(item: Wire) -> bool:
    """Tell whether a shell, or a call of it, is one in a container of the provider."""
    return as_word(as_object(item.get("environment")).get("type")).startswith("container")


def runs_at_provider(item: Wire, client: frozenset[str]) -> bool | None:
    """Tell whether a call is the provider's own; None when nobody is known to run it.

    Args:
        item: the call's item.
        client: what `client_side` gave.
    """
    kind, name = as_word(item.get("type")), as_word(item.get("name"))
    if kind == "custom_tool_call":
        return name not in client and name.startswith(_XAI)
    if kind in client:
        return False
    hosted = kind in _ALWAYS_HOSTED or (kind == "shell_call" and _is_container(item))
    return True if hosted else None


def arguments_of(item: Wire) -> Wire:
    """Give what a tool of the API was given, as arguments."""
    match item.get("type"):
        case "web_search_call":
            return without(as_object(item.get("action")), "sources")
        case "file_search_call":
            return {"queries": item.get("queries") or []}
        case "apply_patch_call":
            return as_object(item.get("operation"))
        case "computer_call" if not item.get("action"):
            return {"actions": item.get("actions") or []}
        case _:
            return as_object(item.get("action"))


def result_of(item: Wire) -> tuple[tuple[ResultContent, ...], bool] | None:
    """Give what a tool that the provider ran gave back, and whether it failed; None when the item does not tell."""
    content = tuple(_content(item))
    failed = bool(item.get("error")) or item.get("status") == "failed"
    return (content, failed) if content or failed else None


def _content(item: Wire) -> Iterator[ResultContent]:
    match item.get("type"):
        case "web_search_call":
            yield from _lines(as_word(source.get("url")) for source in as_objects(as_object(item.get("action")).get("sources")))
        case "file_search_call":
            yield from _lines(
                ": ".join(filter(None, (as_word(found.get("filename")), as_text(found.get("text")))))
                for found in as_objects(item.get("results"))
            )
        case "code_interpreter_call":
            for output in as_objects(item.get("outputs")):
                yield from _lines([as_text(output.get("logs"))])
                if (url := as_word(output.get("url"))) and (image := image_of(url)) is not None:
                    yield image
        case "mcp_call":
            yield from _lines([as_json(item.get("output")), _complaint(item.get("error"))])
        case "shell_call_output":
            for output in as_objects(item.get("output")):
                yield from _lines([as_text(output.get("stdout")), as_text(output.get("stderr"))])
        case _:
            return


def _lines(texts: Iterable[str]) -> Iterator[TextPart]:
    text = repair("\n".join(text for text in texts if text))
    if text:
        yield TextPart(text=text)


def _complaint(error: Any) -> str:
    return as_text(as_object(error).get("message")) or as_json(error)


def image_in(item: Wire) -> ImagePart | None:
    """Give the picture that an `image_generation_call` made; None when there is none to be read."""
    result = as_word(item.get("result"))
    try:
        data = base64.b64decode(result)
    except (binascii.Error, ValueError):
        return None
    if not data:
        return None
    name = as_word(item.get("output_format")) or "png"
    again = base64.b64encode(data).decode() == result
    return ImagePart(
        data=data,
        media_type=_MEDIA_TYPES.get(name, f"image/{name}"),
        provider_data=kept(without(item, "result") if again else item),
    )
