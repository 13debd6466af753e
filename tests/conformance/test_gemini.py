"""Gemini's generateContent passes the suite."""

from allm_rx.abc.adapter import Adapter
from allm_rx.adapters.gemini.generate_content.adapter import Gemini
from allm_rx.testing.conformance import AdapterConformance


class TestGemini(AdapterConformance):
    protocol = "gemini"

    def adapter(self, base_url: str, api_key: str) -> Adapter:
        return Gemini(base_url=base_url, api_key=api_key)
