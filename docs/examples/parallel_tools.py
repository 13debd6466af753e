"""Tools of one turn run side by side; here the slower one is called first, and the quicker one is done first."""

import reactivex as rx
from example_engine import example_engine
from reactivex import Observable
from reactivex import operators as ops

from allm_rx import Engine, chat, events, tool

SECONDS = {"Oslo": 0.4, "Rome": 0.1}
DEGREES = {"Oslo": 7, "Rome": 21}


@tool
def weather(city: str) -> Observable[str]:
    """Tell the weather in a city, a while after it was asked for."""
    return rx.timer(SECONDS.get(city, 0.2)).pipe(ops.map(lambda _: f"In {city} it is {DEGREES.get(city, 15)} degrees."))


def show(event: events.Event) -> None:
    match event:
        case events.ToolExecutionStarted(arguments=arguments):
            print("asked:", arguments["city"])
        case events.ToolExecutionCompleted(outcome=outcome):
            print("done: ", outcome.value)
        case _:
            pass


def main(engine: Engine) -> None:
    result = chat(engine, "Compare Oslo and Rome.", tools=[weather], on_event=show).run().raise_for_error()

    print("in order:", " ".join(tool_result.text for tool_result in result.steps[0].tool_results))


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
