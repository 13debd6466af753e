"""The Responses API passes the suite."""

from allm_rx.abc.adapter import Adapter
from allm_rx.adapters.openai.responses.adapter import OpenAI
from allm_rx.testing.conformance import AdapterConformance


class TestOpenAI(AdapterConformance):
    protocol = "openai"

    def adapter(self, base_url: str, api_key: str) -> Adapter:
        return OpenAI(base_url=base_url, api_key=api_key)
