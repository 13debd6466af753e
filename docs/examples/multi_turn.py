"""A conversation: each result's thread is the next call's input."""

from example_engine import example_engine

from allm_rx import Engine, Thread, chat, system, user

SAID = ("My name is Ada.", "What is my name?")


def main(engine: Engine) -> None:
    thread = Thread(messages=[system("Be brief.")])
    for text in SAID:
        result = chat(engine, thread.append(user(text))).run().raise_for_error()
        print(f"you: {text}\nmodel: {result.output_text}")
        thread = result.thread

    print(f"({len(thread.messages)} messages)")


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
