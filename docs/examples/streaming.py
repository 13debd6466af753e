"""Show an answer while it is written, and keep the response."""

from example_engine import example_engine
from reactivex import operators as ops

from allm_rx import Engine, events, stream_generate
from allm_rx import operators as lx


def show(event: events.Event) -> None:
    match event:
        case events.TextDelta(delta=delta):
            print(delta, end="", flush=True)
        case events.MessageCompleted():
            print()
        case _:
            pass


def main(engine: Engine) -> None:
    stream = stream_generate(engine, "Write a haiku about rain.")

    response = lx.run(stream.pipe(ops.do_action(show), lx.collect_response())).raise_for_error()

    print(f"({len(response.output_text.split())} words)")


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
