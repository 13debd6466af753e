"""One program for every provider: `python docs/examples/any_provider.py anthropic:claude-opus-4-6`.

The key is read from the vendor's variable; nothing else differs but the model's name.
"""

import base64
import sys

from pydantic import BaseModel

from allm_rx import Engine, ImagePart, chat, generate, tool, user
from allm_rx.errors import AdapterError

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


class Sight(BaseModel):
    """What a picture shows."""

    colour: str
    width: int


@tool
def tide(port: str) -> str:
    """Tell the tide in a port."""
    return f"high at six in {port}"


def main(model: str) -> None:
    engine = Engine.from_model(model)

    answer = generate(engine, "Why is the sea salty?", reasoning="low").run().raise_for_error()
    print("text:", answer.output_text)
    print("reasoning:", answer.reasoning or "(not shown)")

    picture = user(["What is this?", ImagePart(data=PIXEL, media_type="image/png")])
    print("structure:", generate(engine, picture, response_format=Sight).run().parsed(Sight))

    talk = chat(engine, "When is the tide in Bergen?", tools=[tide]).run()
    print("tool:", talk.final_response.output_text, f"({len(talk.steps)} steps)")
    print("usage:", talk.usage.input_tokens, "in,", talk.usage.output_tokens, "out")

    try:
        generate(engine, "Hi", model="no-such-model").run().raise_for_error()
    except AdapterError as error:
        print("error:", error.reason)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["openai-chat:gpt-5.1"])
