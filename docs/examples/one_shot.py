"""Ask once, and wait for the whole answer."""

from example_engine import example_engine

from allm_rx import Engine, generate


def main(engine: Engine) -> None:
    response = generate(engine, "Why is the sky blue?", max_tokens=200).run().raise_for_error()

    print(response.output_text)
    print(f"({response.finish_reason}, {response.usage.output_tokens} tokens)")


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
