"""Bodies of the generateContent API, as requests give them."""

import json
from typing import Any

from pydantic import SecretStr

from allm_rx.adapters.gemini.generate_content.encode import encode
from allm_rx.adapters.gemini.generate_content.options import Service
from allm_rx.data.messages import Message, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import Request
from allm_rx.wire.http import WireRequest
from tests.adapters.gemini.accepted import accepted

STUDIO = Service()
VERTEX = Service(base_url="https://aiplatform.googleapis.com", api_version="v1beta1", parent="projects/p/locations/global/")
CALL = ToolCall(id="c1", name="look", arguments={"at": "sea"})


def wire(request: Request, service: Service = STUDIO, **options: Any) -> WireRequest:
    return encode(request, service=service, key=SecretStr("lake-key"), headers=options.pop("headers", {}), **options)


def body(*messages: Message, service: Service = STUDIO, model: str = "gemini-2.5-flash", **fields: Any) -> dict[str, Any]:
    """Give a body, which Google's own package takes too."""
    request = Request(messages=messages or (user("Hi"),), model=model, **fields)
    given: dict[str, Any] = json.loads(wire(request, service).body)
    if "cachedContent" not in given:
        accepted(given)
    return given


def contents(*messages: Message, model: str = "gemini-2.5-flash", service: Service = STUDIO) -> list[dict[str, Any]]:
    return body(*messages, model=model, service=service)["contents"]


def own(**fields: Any) -> dict[str, Any]:
    return {"gemini": fields}
