"""Google's Gemini models, at AI Studio and at Vertex AI."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from allm_rx.adapters.gemini.auth import KEY_VARIABLES, access_token
from allm_rx.adapters.gemini.generate_content.check import check
from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.adapters.gemini.generate_content.encode import encode
from allm_rx.adapters.gemini.generate_content.options import AI_STUDIO, Service, generation, vertex_host
from allm_rx.operators.http_adapter import HttpAdapter
from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.emitter import Facts
    from allm_rx.abc.transport import Transport
    from allm_rx.adapters.gemini.auth import Token
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request
    from allm_rx.wire.http import WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Gemini(HttpAdapter):
    """The generateContent API, as a stream of events.

    ```python
    Gemini()                                                        # AI Studio, key from GEMINI_API_KEY or GOOGLE_API_KEY
    Gemini.vertex(project="my-project", location="global", access_token=lambda: credentials.token)
    Gemini(base_url="http://localhost:9000", api_key="x")           # a server that speaks it too
    ```
    """

    base_url: str = field(default_factory=lambda: os.environ.get("GOOGLE_GEMINI_BASE_URL") or AI_STUDIO)
    """As in Google's own package, `HttpOptions(base_url=...)`: everything before the version; by default what
    `GOOGLE_GEMINI_BASE_URL` says, else AI Studio."""
    api_version: str | None = "v1beta"
    """As in `HttpOptions(api_version=...)`; None leaves it out."""
    provider: str = "gemini"
    """The name in events, errors and key look-ups."""
    key_variables: tuple[str, ...] | None = KEY_VARIABLES
    """Environment variables that may hold the key."""
    project: str | None = None
    """On Vertex AI the Google Cloud project; see `vertex`."""
    location: str | None = None
    """On Vertex AI the location, such as `europe-west4` or `global`."""
    access_token: Token | None = None
    """On Vertex AI what stands in place of the key."""

    def __post_init__(self) -> None:
        HttpAdapter.__post_init__(self)
        if isinstance(self.access_token, str):
            object.__setattr__(self, "access_token", SecretStr(self.access_token))
        if (self.project is None) is not (self.location is None):
            raise TypeError("Gemini(...) takes `project` and `location` together: see `Gemini.vertex`.")

    @classmethod
    def vertex(
        cls,
        *,
        project: str,
        location: str = "global",
        access_token: Token,
        api_version: str | None = "v1beta1",
        base_url: str | None = None,
        headers: Mapping[str, str | SecretStr] | None = None,
        transport: Transport | None = None,
    ) -> Self:
        """Speak to Vertex AI.

        Args:
            project: the Google Cloud project.
            location: where the model runs, such as `europe-west4`, `eu` or `global`.
            access_token: an OAuth token, or a function that gives one. It is called for every request, on the library's loop:
                refresh the token elsewhere and hand it out here.
            api_version: the version of the API.
            base_url: everything before the version; None is what `GOOGLE_VERTEX_BASE_URL` says, else the host of the location.
            headers: further headers; they win over the adapter's own.
            transport: what sends requests; None takes the runtime's HTTP client.
        """
        return cls(
            project=project,
            location=location,
            access_token=access_token,
            api_version=api_version,
            base_url=base_url or os.environ.get("GOOGLE_VERTEX_BASE_URL") or vertex_host(location),
            headers=headers or {},
            transport=transport,
        )

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that can be sent; see `Adapter.preflight`."""
        check(request, service=self._service, provider=self.provider)
        self._key(call)

    def combines_tools_and_format(self, request: Request, /) -> bool:
        """Tell whether the request's model takes tools and a schema at once; before the third generation none does."""
        known = generation(request.model)
        return known is None or known >= 3

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription; see `Adapter.stream` for the guarantees."""

        def encoded(key: SecretStr | None) -> WireRequest:
            return encode(request, service=self._service, key=key, headers=self.headers, connect_timeout=call.timeouts.connect)

        def decoder(facts: Facts) -> GenerateContentDecoder:
            return GenerateContentDecoder(**facts)

        return self._answer(call, encoded, decoder)

    @property
    def _service(self) -> Service:
        parent = f"projects/{self.project}/locations/{self.location}/" if self.project is not None else ""
        return Service(base_url=self.base_url, api_version=self.api_version, parent=parent)

    def _key(self, call: Call) -> SecretStr | None:
        if self.project is not None:
            return access_token(self.access_token, call, provider=self.provider)
        return HttpAdapter._key(self, call)

    def __repr__(self) -> str:
        where = f", project={self.project!r}, location={self.location!r}" if self.project is not None else ""
        return f"Gemini(provider={self.provider!r}, base_url={redact(self.base_url)!r}{where})"
