"""A tool that needs to know more: `echo 19:30 | python docs/examples/ask_user.py`."""

from example_engine import example_engine

from allm_rx import AskUser, Engine, chat, tool


@tool
def book(people: int) -> AskUser:
    """Book a table; the guest is asked when."""
    return AskUser(f"When shall the table for {people} be free?", options={"hint": "HH:MM"})


def main(engine: Engine) -> None:
    result = chat(engine, "Book me a table.", tools=[book]).run().raise_for_error()
    while result.halted_reason == "ask_user":
        answers = {}
        for question in result.pending_questions:
            print(f"{question.question} ({question.options['hint']}) ", end="")
            answers[question.tool_call_id] = input()
            print()
        result = chat(engine, result.resume(answers), tools=[book]).run().raise_for_error()

    print(result.output_text)


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
