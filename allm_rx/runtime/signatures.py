"""What a function's signature says to a model: the parameters it has to fill, with their types, as a JSON Schema.

Rule 1: a parameter is refused where it stands, with its name and what to do.
Rule 2: what the caller has bound, or the library fills in, the model does not see.
"""

from __future__ import annotations

import functools
import inspect
import typing
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, cast

import pydantic
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from allm_rx.abc.tools import ToolContext
from allm_rx.errors import Issue, ToolError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _Quiet(GenerateJsonSchema):
    """Leaves out a default that JSON cannot hold without a warning: the function knows it."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as pydantic has it


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's parameters, as far as the model is concerned."""

    tool: str
    parameters: tuple[inspect.Parameter, ...]
    hints: Mapping[str, Any]
    context_names: tuple[str, ...]
    """The parameters that receive the `ToolContext`."""

    @classmethod
    def of(cls, function: Callable[..., Any], tool: str) -> Signature:
        """Read a function's signature.

        Raises:
            ValidationError: `invalid_tool`; it has none, or its annotations cannot be resolved.
        """
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            raise refused(tool, None, "it has no signature to read: wrap it in a function with typed parameters") from None
        hints = hints_of(function)
        bound = set(function.keywords) if isinstance(function, functools.partial) else set[str]()
        given = [parameter for name, parameter in signature.parameters.items() if name not in bound]
        context_names = tuple(parameter.name for parameter in given if _is_context(hints.get(parameter.name)))
        rest = tuple(parameter for parameter in given if parameter.name not in context_names)
        for parameter in given:
            if parameter.name in context_names and parameter.kind is parameter.POSITIONAL_ONLY:
                raise refused(tool, parameter.name, "it is passed by name: take the `/` out of the signature")
        return cls(tool, rest, hints, context_names)


class Arguments:
    """Validates what a model passes to a function."""

    def __init__(self, signature: Signature, descriptions: Mapping[str, str]) -> None:
        """Make the validator.

        Args:
            signature: the function's.
            descriptions: what its docstring says of the parameters.

        Raises:
            ValidationError: `invalid_tool`; a parameter has no type, none with a schema, or cannot be passed by name.
        """
        self._tool = signature.tool
        # Fields have names of ours, because a parameter may be called like a method of the model.
        self._names = {f"parameter_{index}": parameter.name for index, parameter in enumerate(signature.parameters)}
        self._always = {parameter.name for parameter in signature.parameters if isinstance(parameter.default, FieldInfo)}
        """Those whose default is in a `Field(...)`, which the function itself would take for the value."""
        fields = {
            field: _field(signature, parameter, descriptions.get(parameter.name))
            for field, parameter in zip(self._names, signature.parameters, strict=True)
        }
        self._model: type[BaseModel] = create_model(
            f"{signature.tool}_arguments", __config__=ConfigDict(extra="forbid"), **cast("dict[str, Any]", fields)
        )

    def schema(self) -> dict[str, Any]:
        """Give the JSON Schema for the model."""
        schema: dict[str, Any] = self._model.model_json_schema(schema_generator=_Quiet)
        schema.pop("title", None)
        properties: dict[str, dict[str, Any]] = schema.setdefault("properties", {})
        for part in properties.values():
            part.pop("title", None)  # pydantic's title only repeats the name
        return schema

    def keywords(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the arguments of the function: those that the model gave, validated; its own defaults hold for the rest.

        Raises:
            ToolError: `invalid_arguments`; the message tells the model what is wrong.
        """
        try:
            values = self._model.model_validate(dict(given))
        except pydantic.ValidationError as error:
            raise ToolError("invalid_arguments", self._complaint(error)) from None
        return {
            name: getattr(values, field)
            for field, name in self._names.items()
            if field in values.model_fields_set or name in self._always
        }

    def _complaint(self, error: pydantic.ValidationError) -> str:
        problems = [
            f"{'.'.join(str(key) for key in item['loc']) or 'arguments'}: {item['msg']}"
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return f"The arguments of {self._tool!r} do not fit its schema: {'; '.join(problems)}."


def takes_mapping(function: Callable[..., Any], tool: str) -> tuple[str, ...]:
    """Give the context parameters of a function that is called with one mapping.

    Raises:
        ValidationError: `invalid_tool`; it cannot be called so.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # something built in, such as `dict`
        return ()
    hints = hints_of(function)
    context_names = tuple(name for name in signature.parameters if _is_context(hints.get(name)))
    try:
        signature.bind({}, **dict.fromkeys(context_names))
    except TypeError as error:
        what = f"its handler is called with one mapping of arguments, and does not take that ({error})"
        raise refused(tool, None, what) from None
    return context_names


def target_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give what is called in the end: the function in a `partial`, the `__call__` of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__


def doc_of(function: Callable[..., Any]) -> str | None:
    """Give the docstring of what is called in the end; for an object without one that of its class."""
    doc = inspect.getdoc(target_of(function))
    if doc is None and not isinstance(function, functools.partial) and not inspect.isroutine(function):
        doc = inspect.getdoc(type(function))
    return doc


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Give the annotations of a function, resolved.

    Raises:
        ValidationError: `invalid_tool`; one of them names nothing that is there.
    """
    target = target_of(function)
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception as error:  # noqa: BLE001 - an annotation may be any expression
        name = getattr(target, "__name__", repr(target))
        issue = Issue(("tools", name), "unresolved_annotation", f"{error}: import it where the module is run, at its top level")
        raise ValidationError.of("invalid_tool", issue) from None


def refused(tool: str, parameter: str | None, what: str) -> ValidationError:
    """Give the error for a function that cannot be a tool."""
    if parameter is None:
        return ValidationError.of("invalid_tool", Issue(("tools", tool), "unsupported_function", f"tool {tool!r}: {what}"))
    path = ("tools", tool, "parameters", parameter)
    return ValidationError.of("invalid_tool", Issue(path, "unsupported_parameter", f"parameter {parameter!r}: {what}"))


def _field(signature: Signature, parameter: inspect.Parameter, description: str | None) -> tuple[Any, Any]:
    name, annotation = parameter.name, signature.hints.get(parameter.name)
    if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise refused(signature.tool, name, "the model passes arguments by name: make it an ordinary parameter")
    if name not in signature.hints:
        if name in ("self", "cls"):
            raise refused(signature.tool, name, "a method is made a tool where it is bound: `tool(thing.method)`")
        raise refused(signature.tool, name, "it has no type, and the model has to be told one: annotate it")
    default = ... if parameter.default is parameter.empty else parameter.default
    info = Field(alias=name) if description is None or _described(annotation) else Field(alias=name, description=description)
    field: Any = (Annotated[annotation, info], default)
    try:
        create_model("Probe", field=field).model_json_schema(schema_generator=_Quiet)
    except Exception as error:  # noqa: BLE001 - types have schemas of their own making
        reason = str(error).strip().splitlines()[0]
        raise refused(signature.tool, name, f"its type has no schema ({reason}): use one that JSON can hold") from None
    return field


def _described(annotation: Any) -> bool:
    """Tell whether an annotation carries a description of its own, which says more than the docstring."""
    return any(isinstance(extra, FieldInfo) and extra.description for extra in typing.get_args(annotation)[1:])


def _is_context(hint: Any) -> bool:
    if hint is ToolContext:
        return True
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _is_context(typing.get_args(hint)[0])
    return origin in (Union, UnionType) and any(_is_context(member) for member in typing.get_args(hint))
