"""Chat Completions passes the suite."""

from allm_rx.abc.adapter import Adapter
from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.testing.conformance import AdapterConformance


class TestOpenAIChat(AdapterConformance):
    protocol = "openai-chat"

    def adapter(self, base_url: str, api_key: str) -> Adapter:
        return OpenAIChat(base_url=base_url, api_key=api_key)
