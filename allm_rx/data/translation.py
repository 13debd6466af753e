"""What pydantic finds wrong, in our words.

Rule 1: a path leads to the value: keys and positions only, none of the labels pydantic gives the choices of a union.
Rule 2: a message quotes at most 80 characters of a value, and nothing of a field that does not exist: it may be a key.
"""

from collections.abc import Iterator
from functools import cache
from reprlib import Repr
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

import pydantic
from pydantic import BaseModel, JsonValue

from allm_rx.errors import Issue, ValidationError, ValidationReason

_SHOWN = 80
"""Characters of a wrong value that a message quotes."""

_repr = Repr()
_repr.maxstring = _repr.maxlong = _repr.maxother = _SHOWN

Path = tuple[str | int, ...]


def shown(value: object) -> str:
    """Give a value as a message quotes it; a long one is cut before it is written out."""
    text = repr(value[:_SHOWN]) if isinstance(value, (str, bytes, bytearray)) else _repr.repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def translated(
    error: pydantic.ValidationError, cls: type[Any], reason: ValidationReason, *, within: Path = ()
) -> ValidationError:
    """Give the error of ours that tells what pydantic found wrong with an instance of a class.

    Args:
        error: what pydantic raised.
        cls: the class that was to be made.
        reason: the reason of the new error.
        within: where the value is in what the caller gave.
    """
    return ValidationError.of(reason, *(_issue(item, cls, within) for item in error.errors(include_url=False)))


def _issue(item: Any, cls: type[Any], within: Path) -> Issue:
    path, owner = _place(cls, item["loc"])
    kind: str = item["type"]
    match kind:
        case "missing":
            what = f"{owner.__name__} needs this field: give it"
        case "extra_forbidden" | "unexpected_keyword_argument":
            kind = "extra_forbidden"
            what = f"{owner.__name__} has no such field: use {', '.join(_fields(owner))}"
        case "json_invalid":
            what = f"the text is not JSON: {item['ctx']['error']}"
        case "value_error":
            what = str(item["ctx"]["error"])
        case "union_tag_invalid":
            what = f"there is no type {shown(item['ctx']['tag'])}: use {item['ctx']['expected_tags']}"
        case "union_tag_not_found":
            what = f"the key 'type' is missing in {shown(item['input'])}: it says what this is"
        case _:
            what = f"{item['msg']}, got {shown(item['input'])}"
    return Issue((*within, *path), kind, f"{what}.")


def _place(cls: type[Any], loc: Path) -> tuple[Path, type[Any]]:
    """Follow a location of pydantic's through the annotations; give the path and the class that has the field."""
    path: list[str | int] = []
    owner, kind = cls, cast("Any", cls)
    for position, step in enumerate(loc):
        kind = _bare(kind)
        if kind is JsonValue:  # a label and a key, in turn
            path += loc[position + 1 :: 2]
            break
        if get_origin(kind) in (Union, UnionType):
            kind = next((member for member in get_args(kind) if step in tuple(_labels(member))), None)
            continue
        path.append(step)
        if get_origin(kind) is not None:
            kind = next(arg for arg in reversed(get_args(kind)) if arg is not ...)
        else:
            owner = kind if isinstance(kind, type) else owner
            kind = _fields(owner).get(str(step))
    return tuple(path), owner


def _bare(annotation: Any) -> Any:
    """Give an annotation without what `Annotated` adds, and without its None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            members = [member for member in get_args(annotation) if member is not NoneType]
            if len(members) > 1:
                return Union[tuple(members)]  # noqa: UP007 - the members are known at run time only
            annotation = members[0]
        else:
            return annotation


def _labels(member: Any) -> Iterator[str]:
    """Give the words by which pydantic tells a choice of a union: the class's name, or its tag."""
    member = _bare(member)
    if isinstance(member, type):
        yield member.__name__
        if issubclass(member, BaseModel) and "type" in member.model_fields:
            yield member.model_fields["type"].default


@cache
def _fields(cls: type[Any]) -> dict[str, Any]:
    if issubclass(cls, BaseModel):
        return {name: field.annotation for name, field in cls.model_fields.items()}
    return {name: kind for name, kind in get_type_hints(cls).items() if name in getattr(cls, "__match_args__", ())}
