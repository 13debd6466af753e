"""The Messages API passes the suite."""

from allm_rx.abc.adapter import Adapter
from allm_rx.adapters.anthropic.messages.adapter import Anthropic
from allm_rx.testing.conformance import AdapterConformance


class TestAnthropic(AdapterConformance):
    protocol = "anthropic"

    def adapter(self, base_url: str, api_key: str) -> Adapter:
        return Anthropic(base_url=base_url, api_key=api_key)
