"""Results of the application's tools, as the Responses API writes them: what answers a call depends on its kind.

Rule: what a result keeps in `provider_data["openai.responses"]` goes in last, so that every field of the wire can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.adapters.openai.responses.content import encode_content, encode_part
from allm_rx.adapters.openai.responses.wire import Wire, own, without
from allm_rx.data.parts import ImagePart, TextPart
from allm_rx.wire.merging import merged
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from allm_rx.data.parts import ToolCall, ToolResultPart


def encode_result(result: ToolResultPart, call: ToolCall | None) -> Wire:
    """Give the item that answers a call.

    Args:
        result: what the tool gave back.
        call: the call it answers; None where it is not in the conversation.
    """
    item = own(call) if call is not None else {}
    return merged(_plain(result, item), own(result))


def _plain(result: ToolResultPart, call: Wire) -> Wire:
    match call.get("type"):
        case "custom_tool_call":
            return {"type": "custom_tool_call_output", "call_id": result.id, "output": _output(result)}
        case "local_shell_call":
            return {"type": "local_shell_call_output", "call_id": result.id, "output": result.text}
        case "shell_call":
            return _shell(result, call)
        case "apply_patch_call":
            status = "failed" if result.is_error else "completed"
            return {"type": "apply_patch_call_output", "call_id": result.id, "status": status, "output": result.text}
        case "computer_call":
            return {"type": "computer_call_output", "call_id": result.id, "output": _screenshot(result)}
        case _:
            caller = {"caller": call["caller"]} if "caller" in call else {}
            return {"type": "function_call_output", "call_id": result.id, "output": _output(result), **caller}


def _output(result: ToolResultPart) -> str | list[Wire]:
    if all(isinstance(part, TextPart) and not own(part) for part in result.content):
        return result.text
    return encode_content(result.content)


def _shell(result: ToolResultPart, call: Wire) -> Wire:
    outcome = {"type": "exit", "exit_code": 1 if result.is_error else 0}
    output = [{"stdout": result.text, "stderr": "", "outcome": outcome}]
    limit = as_object(call.get("action")).get("max_output_length")
    item: Wire = {"type": "shell_call_output", "call_id": result.id, "output": output}
    return {**item, "max_output_length": limit} if limit else item


def _screenshot(result: ToolResultPart) -> Wire:
    image = next((part for part in result.content if isinstance(part, ImagePart)), None)
    shown = without(encode_part(image), "type", "detail") if image is not None else {}
    return {"type": "computer_screenshot", **shown}
