"""The suite that every adapter passes; subclass it in a test file of yours, and pytest does the rest.

    import pytest

    pytest.register_assert_rewrite("allm_rx.testing.conformance")  # so that a failure shows the values

    from allm_rx.testing.conformance import AdapterConformance

    class TestMyAdapter(AdapterConformance):
        protocol = "openai-chat"

        def adapter(self, base_url, api_key):
            return MyAdapter(base_url=base_url, api_key=api_key)

| class | claims | needs |
|---|---|---|
| `AnswerConformance` | answers obey the grammar, and nothing is sent before `subscribe` | a way to script the other end |
| `LeavingConformance` | leaving early is seen at the other end, from any thread | the same |
| `EndingConformance` | a body cut anywhere is no success, and what came is kept | a protocol of the provider server |
| `FailureConformance` | errors of provider and network are mapped, in band | the same |
| `SecretConformance` | the key is sent, and appears nowhere else | the same |
| `AdapterConformance` | all of them | the same |

Rule 1: it needs pytest and nothing of this project's own tests; a provider on loopback is all the network there is.
Rule 2: each test leaves nothing behind: no thread, task or socket.
Rule 3: no test asserts a time, and none sleeps.
"""

from allm_rx.testing.conformance.answers import AnswerConformance
from allm_rx.testing.conformance.endings import EndingConformance
from allm_rx.testing.conformance.failures import FailureConformance
from allm_rx.testing.conformance.leaving import LeavingConformance
from allm_rx.testing.conformance.provider import Provider
from allm_rx.testing.conformance.secrets import SecretConformance

__all__ = [
    "AdapterConformance",
    "AnswerConformance",
    "EndingConformance",
    "FailureConformance",
    "LeavingConformance",
    "Provider",
    "SecretConformance",
]


class AdapterConformance(AnswerConformance, LeavingConformance, EndingConformance, FailureConformance, SecretConformance):
    """All claims, for an adapter that speaks a protocol of the provider server; see this module for an example."""
