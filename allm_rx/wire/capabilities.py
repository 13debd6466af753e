"""What no protocol of a vendor can carry, and the walk through a request on which each finds what its own cannot.

Rule 1: everything that cannot be sent is an issue with its path; all of them are told at once.
Rule 2: what one vendor refuses and another does not, that vendor's `check` knows itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from allm_rx.data.parts import AudioPart, FilePart, ImagePart, ToolResultPart
from allm_rx.data.tools import ProviderTool
from allm_rx.errors import Issue, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from allm_rx.data.messages import Role
    from allm_rx.data.requests import Request

Path = tuple[str | int, ...]
"""Keys and positions that lead to a value; see `Issue`."""


class Medium(NamedTuple):
    """A picture, file or sound of a request, and where it stands."""

    part: ImagePart | FilePart | AudioPart
    path: Path
    role: Role
    in_result: bool
    """Whether a tool gave it."""


def refuse(issues: Iterable[Issue], provider: str) -> None:
    """Accept a request that has no issues.

    Raises:
        ValidationError: `unsupported_capability`, with all of them.
    """
    found = tuple(issues)
    if found:
        error = ValidationError.of("unsupported_capability", *found)
        error.provider = provider
        raise error


def media_of(request: Request) -> Iterator[Medium]:
    """Give the pictures, files and sounds of a request in their order, those in results of tools among them."""
    for index, message in enumerate(request.messages):
        for position, part in enumerate(message.content):
            if isinstance(part, (ImagePart, FilePart, AudioPart)):
                yield Medium(part, ("messages", index, "content", position), message.role, in_result=False)
            elif isinstance(part, ToolResultPart):
                for inner, item in enumerate(part.content):
                    if isinstance(item, (ImagePart, FilePart, AudioPart)):
                        path = ("messages", index, "content", position, "content", inner)
                        yield Medium(item, path, message.role, in_result=True)


def media_issues(request: Request, provider: str, issues_of: Callable[[Medium], Iterable[Issue]]) -> Iterator[Issue]:
    """Give what speaks against the media of a request: those in system messages, and whatever a vendor finds of the others.

    Args:
        request: any.
        provider: name for messages.
        issues_of: gives the vendor's issues of one medium.
    """
    for medium in media_of(request):
        if medium.role == "system":
            kind = medium.part.type
            what = f"{provider} takes only text in system messages, not {kind!r} parts: put it into a user message"
            yield Issue(medium.path, f"{kind}_in_system_message", what)
        else:
            yield from issues_of(medium)


def _takes_all(schema: Mapping[str, Any]) -> Iterable[Issue]:
    del schema
    return ()


def tool_issues(
    request: Request, dialect: str, provider: str, strict: Callable[[Mapping[str, Any]], Iterable[Issue]] = _takes_all
) -> Iterator[Issue]:
    """Give what speaks against the tools of a request: those of other protocols, and parameters that cannot be strict.

    Args:
        request: any.
        dialect: the protocol, as provider tools name it.
        provider: name for messages.
        strict: gives the issues of a schema that a strict tool cannot have.
    """
    for index, tool in enumerate(request.tools):
        path: Path = ("tools", index)
        if isinstance(tool, ProviderTool):
            if tool.dialect != dialect:
                belongs = f"the tool {tool.name!r} belongs to {tool.dialect!r}"
                yield Issue(path, "foreign_tool", f"{belongs}, but {provider} is spoken to in {dialect!r}: leave it out")
        elif tool.strict:
            for issue in strict(tool.parameters):
                what = f"{issue.message}, or make the tool not `strict`"
                yield Issue((*path, "parameters", *issue.path), issue.code, what)
