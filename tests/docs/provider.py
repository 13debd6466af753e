"""The provider that answers the documentation's examples.

The examples are what a user with a key would write: nothing in them, and nothing in the library, knows that it is a test.
Two environment variables lead them here, as they lead OpenAI's own package: `OPENAI_BASE_URL` and `OPENAI_API_KEY`.
"""

from typing import Any

from allm_rx.data.parts import ToolCall
from allm_rx.testing.answers import Answer

ANSWERS = {
    "What is a cold observable?": "A recipe: nothing happens until you subscribe.",
    "Say hi in Norwegian.": "Hei!",
    "And in Finnish?": "Moi!",
}
"""What is said to whom asks; the examples of the pages ask nothing else."""


def respond(body: dict[str, Any], index: int) -> Answer:
    """Answer a request of an example."""
    del index
    last = body["messages"][-1]
    if last["role"] == "tool":
        return Answer(f"I was told: {last['content']}")
    if "weather" in last["content"].lower():
        return Answer(tool_calls=[ToolCall(id="call_1", name="weather", arguments={"city": "Oslo"})])
    return Answer(ANSWERS[last["content"]])
