"""Instances of pydantic classes made of JSON that is not complete yet.

Rule 1: what has come is converted as far as it fits; what has not, or does not fit yet, is the field's default, else None.
Rule 2: nothing of the class's own validation runs: it is for whole values, and half a value would fail it.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import pydantic
from pydantic import AliasChoices, PydanticUserError, TypeAdapter

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)
Convert = Callable[[Any], Any]

_SEQUENCES: dict[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
}


class Unready(Exception):  # noqa: N818 - no error: the value has not come far enough
    """A value cannot be made of what there is yet."""


def partial_model(model: type[ModelT]) -> Callable[[Any], ModelT]:
    """Give a function that makes an instance of what of its JSON is there.

    Raises:
        Unready: from the function: there is nothing yet that an instance could be made of.
    """
    return cast("Callable[[Any], ModelT]", _of_model(model, {}))


def names_of(name: str, field: FieldInfo) -> Iterable[str]:
    """Give the keys under which a field may come."""
    alias = field.validation_alias if field.validation_alias is not None else field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [*(choice for choice in choices if isinstance(choice, str)), name]


def _of_model(model: type[pydantic.BaseModel], known: dict[Any, Convert]) -> Convert:
    if model in known:
        return known[model]
    converts: dict[str, tuple[str, Convert]] = {}

    def make(value: Any) -> Any:
        members = {"root": value} if model.__pydantic_root_model__ else value
        if not isinstance(members, dict):
            raise Unready
        return _made(model, converts, cast("dict[str, Any]", members))

    known[model] = make  # before its fields, which may be of the same class
    if not model.__pydantic_complete__:
        model.model_rebuild()
    for name, field in model.model_fields.items():
        convert = _of(field.annotation, known)
        converts |= {key: (name, convert) for key in names_of(name, field)}
    return make


def _made(model: type[Any], converts: Mapping[str, tuple[str, Convert]], members: Mapping[str, Any]) -> Any:
    given: dict[str, Any] = {}
    for key, value in members.items():
        if key in converts:
            name, convert = converts[key]
            try:
                given[name] = convert(value)
            except Unready:
                continue
    missing = {name: None for name, field in model.model_fields.items() if field.is_required() and name not in given}
    try:
        return model.model_construct(_fields_set=set(given), **missing, **given)
    except Exception:  # noqa: BLE001 - a default or a `model_post_init` of the caller's that needs what is missing
        raise Unready from None


def _of(annotation: Any, known: dict[Any, Convert]) -> Convert:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(arguments[0], known)
    if origin in (Union, UnionType):
        return _of_union(arguments, known)
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return _of_model(annotation, known)
    if origin in _SEQUENCES and (len(arguments) == 1 or arguments[1:] == (...,)):
        return _of_items(_SEQUENCES[origin], _of(arguments[0], known))
    if origin in (dict, Mapping) and arguments[:1] == (str,):
        return _of_values(_of(arguments[1], known))
    return _of_plain(annotation)


def _of_union(arguments: tuple[Any, ...], known: dict[Any, Convert]) -> Convert:
    members = [(argument, _of(argument, known)) for argument in arguments]

    def make(value: Any) -> Any:
        for argument, convert in members:
            if _may_be(value, argument):
                try:
                    return convert(value)
                except Unready:
                    continue
        raise Unready

    return make


def _may_be(value: Any, annotation: Any) -> bool:
    """Tell whether an object can still become an instance of that member of a union: its keys and its tags are of it."""
    if not (isinstance(value, dict) and isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)):
        return True
    fields = {key: field for name, field in annotation.model_fields.items() for key in names_of(name, field)}
    for key, item in cast("dict[str, Any]", value).items():
        field = fields.get(key)
        if field is None or (get_origin(field.annotation) is Literal and item not in get_args(field.annotation)):
            return False
    return True


def _of_items(build: Callable[[Iterable[Any]], Any], convert: Convert) -> Convert:
    def make(value: Any) -> Any:
        if not isinstance(value, list):
            raise Unready
        items: list[Any] = []
        for item in cast("list[Any]", value):
            try:
                items.append(convert(item))
            except Unready:
                continue
        return build(items)

    return make


def _of_values(convert: Convert) -> Convert:
    def make(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unready
        given: dict[str, Any] = {}
        for key, item in cast("dict[str, Any]", value).items():
            try:
                given[key] = convert(item)
            except Unready:
                continue
        return given

    return make


def _of_plain(annotation: Any) -> Convert:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except PydanticUserError:  # a type that only its class allows; the whole answer will tell
        return _never

    def make(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except pydantic.ValidationError:
            raise Unready from None

    return make


def _never(value: Any) -> Any:
    raise Unready
