"""Begin at one provider, go on at others: `python docs/examples/cross_provider.py anthropic:claude-opus-4-6 openai:gpt-5.1`.

In between the conversation is a file. Everyone gets what was said; what only its maker can read, such as signed thoughts,
stays in the file until its maker is asked again.
"""

import sys
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from allm_rx import Engine, Session, sessions, tool

QUESTIONS = ("When is the tide in Bergen?", "And when is low tide?", "So when do I sail?")


@tool
def tide(port: str) -> str:
    """Tell the tide in a port."""
    return f"high at six in {port}"


def main(models: list[str], file: Path) -> None:
    session = Session(id="voyage")
    for model, question in zip(cycle(models), QUESTIONS, strict=False):
        turn = sessions.reply(Engine.from_model(model), session, question, tools=[tide], reasoning="low").run()
        print(f"{model}: {turn.result.final_response.raise_for_error().output_text}")

        file.write_text(turn.session.model_dump_json(), "utf-8")
        session = Session.model_validate_json(file.read_text("utf-8"))
    print(len(session.thread.messages), "messages,", session.status)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        main(sys.argv[1:] or ["anthropic:claude-opus-4-6", "openai:gpt-5.1"], Path(folder) / "session.json")
