"""Where requests go and what differs there: the two doors to Gemini, and its generations, as data.

Rule 1: only what a request has to be written differently for is told apart; everything else the service decides.
Rule 2: a model whose name does not tell its generation is taken for none: nothing special is sent to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

AI_STUDIO = "https://generativelanguage.googleapis.com"

_MULTI_REGIONS = frozenset({"eu", "us"})

_VERSION = re.compile(r"gemini-(\d{1,3}(?:\.\d{1,3})?)(?![\d.])")
_NEWEST = re.compile(r"gemini-(?:[a-z]+-)+latest")
"""Aliases that move with the newest models, all of which are of the third generation."""

_GROUPS = ("models/", "projects/", "publishers/", "tunedModels/")
"""How a model's name begins when it says where the model is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One door to the models."""

    base_url: str = AI_STUDIO
    """As in Google's own package: everything before the version."""
    api_version: str | None = "v1beta"
    """None leaves it out, for a server that has it in its address."""
    parent: str = ""
    """On Vertex AI the project and location, such as `projects/p/locations/l/`; empty at AI Studio."""

    @property
    def vertex(self) -> bool:
        """Whether it is Vertex AI, which takes tokens in place of keys and knows no uploaded files."""
        return bool(self.parent)

    def url(self, model: str) -> str:
        """Give the address that asks a model for a stream; a query of `base_url` stays at its end."""
        parts = urlsplit(self.base_url)
        path = f"{self._root(parts.path)}/{quote(self._resource(model), safe='/@:')}:streamGenerateContent"
        return urlunsplit(parts._replace(path=path, query="&".join(filter(None, ("alt=sse", parts.query)))))

    def file_uri(self, file_id: str) -> str:
        """Give the address of an uploaded file; anything but its plain name is one already."""
        if not file_id.startswith("files/"):
            return file_id
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(path=f"{self._root(parts.path)}/{file_id}", query=""))

    def _root(self, path: str) -> str:
        path = path.rstrip("/")
        version = f"/{self.api_version}" if self.api_version else ""
        return path if path.endswith(version) else path + version  # an address that was pasted may have it already

    def _resource(self, model: str) -> str:
        if not self.parent:
            return model if model.startswith(_GROUPS) else f"models/{model}"
        if model.startswith("projects/"):
            return model
        if model.startswith("publishers/"):
            return self.parent + model
        publisher, _, name = model.removeprefix("models/").rpartition("/")
        return f"{self.parent}publishers/{publisher or 'google'}/models/{name}"


def vertex_host(location: str) -> str:
    """Give the host of Vertex AI for a location, such as `europe-west4`, `eu` or `global`."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def generation(model: str | None) -> float | None:
    """Give the generation that a model's name tells, such as 2.5; None when it tells none.

    >>> generation("models/gemini-3-pro-preview")
    3.0
    """
    name = (model or "").rpartition("/")[2]
    found = _VERSION.match(name)
    if found:
        return float(found[1])
    return 3.0 if _NEWEST.fullmatch(name) else None


def is_third(model: str | None) -> bool:
    """Tell whether a model is of the third generation or later: it checks signatures, and takes pictures from tools."""
    known = generation(model)
    return known is not None and known >= 3
