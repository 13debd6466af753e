"""Calls that the program answers itself, after somebody has agreed: `echo yes | python docs/examples/manual_tools.py`."""

from example_engine import example_engine

from allm_rx import Engine, Tool, ToolCall, chat, tool_result

DELETE = Tool(
    name="delete_files",
    description="Delete files. Somebody is asked before it happens.",
    parameters={"type": "object", "properties": {"pattern": {"type": "string"}}, "required": ["pattern"]},
)


def carry_out(call: ToolCall) -> str:
    """Ask, and do what was agreed to."""
    print(f"The model wants {call.name}({call.arguments}). Agreed? ", end="")
    return "Deleted 3 files." if input().strip().lower() == "yes" else "The user did not agree."


def main(engine: Engine) -> None:
    result = chat(engine, "Delete the old reports.", tools=[DELETE]).run().raise_for_error()
    while result.halted_reason == "manual_tool_calls":
        answers = [tool_result(call.id, carry_out(call)) for call in result.pending_tool_calls]
        print()
        result = chat(engine, result.thread.append(*answers), tools=[DELETE]).run().raise_for_error()

    print(result.output_text)


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
