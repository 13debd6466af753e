"""A function that the model may call."""

from example_engine import example_engine

from allm_rx import Engine, chat, tool


@tool
def weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: Its name, in English.
    """
    return f"In {city} it is 7 degrees and raining."


def main(engine: Engine) -> None:
    result = chat(engine, "How is the weather in Oslo?", tools=[weather]).run().raise_for_error()

    for message in result.thread.messages:
        calls = ", ".join(f"{call.name}({call.arguments})" for call in message.tool_calls)
        print(f"{message.role}: {message.text or calls}")
    print(f"({result.halted_reason} after {len(result.steps)} steps)")


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
