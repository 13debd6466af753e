"""A stop button: the request is closed at once, and what there is of the answer is kept."""

from example_engine import example_engine
from reactivex import Subject
from reactivex import operators as ops

from allm_rx import Engine, events, stream
from allm_rx import operators as lx

ENOUGH = 5


def main(engine: Engine) -> None:
    button = Subject()
    pieces = []

    def show(event: events.Event) -> None:
        if isinstance(event, events.TextDelta):
            pieces.append(event.delta)
            print(event.delta, end="", flush=True)
            if len(pieces) == ENOUGH:
                button.on_next(None)  # in an application, a click

    result = lx.run(
        stream(engine, "Count as far as you can.").pipe(
            lx.cancel_on(button),
            ops.do_action(show),
            lx.collect_chat(),
        )
    )

    print(f"\n({result.halted_reason}; kept: {result.output_text!r})")


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
