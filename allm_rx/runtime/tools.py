"""Functions as tools: name, description, schema and validation come from a typed signature."""

from __future__ import annotations

import inspect
import re
import typing
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import pydantic
from pydantic import BaseModel, ConfigDict, Field, create_model

from allm_rx.abc.tools import ToolContext
from allm_rx.data.tools import Tool
from allm_rx.data.validation import check_tools
from allm_rx.errors import Issue, ToolError, ValidationError

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
R = TypeVar("R")

_SECTION = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_ARGUMENT = re.compile(r"^\s+(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


class FunctionTool(Generic[P, R]):
    """A function the model can call; still callable by everyone else."""

    def __init__(
        self,
        handler: Callable[P, R],
        spec: Tool,
        *,
        arguments: type[BaseModel] | None,
        context_name: str | None,
    ) -> None:
        """Join a handler with its description; `tool` makes these.

        Args:
            handler: runs the tool.
            spec: what the model sees.
            arguments: validates them; None hands the handler one mapping, as a hand-written schema has no types.
            context_name: the parameter that receives the `ToolContext`.
        """
        check_tools([spec])
        self.handler = handler
        self.spec = spec
        self._arguments = arguments
        self._context_name = context_name
        update_wrapper(cast("Callable[..., Any]", self), handler)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, as if it were no tool."""
        return self.handler(*args, **kwargs)

    @property
    def blocking(self) -> bool:
        """Whether the call may block, and so belongs on a thread of its own."""
        return not inspect.iscoroutinefunction(self.handler) and not _gives_observable(self.handler)

    def bind(self, arguments: Mapping[str, Any], context: ToolContext, /) -> Callable[[], Any]:
        """Give the call of the handler, its arguments validated; see `abc.tools.Handled`."""
        handler = cast("Callable[..., Any]", self.handler)
        extra = {self._context_name: context} if self._context_name is not None else {}
        if self._arguments is None:
            self._check_required(arguments)
            return lambda: handler(dict(arguments), **extra)
        try:
            values = self._arguments.model_validate(dict(arguments))
        except pydantic.ValidationError as error:
            raise ToolError("invalid_arguments", _complaint(self.spec.name, error)) from None
        keywords = {field.alias or name: getattr(values, name) for name, field in type(values).model_fields.items()}
        return lambda: handler(**keywords, **extra)

    def __reduce__(self) -> str:
        """Refuse to be pickled.

        Raises:
            TypeError: always; a handler is code, `spec` is the data.
        """
        raise TypeError(f"Tool {self.spec.name!r} has a handler and cannot be pickled: send its `spec`, build it in the worker.")

    def _check_required(self, arguments: Mapping[str, Any]) -> None:
        required = cast("list[str]", self.spec.parameters.get("required") or [])
        missing = [name for name in required if name not in arguments]
        if missing:
            raise ToolError(
                "invalid_arguments", f"The call of {self.spec.name!r} misses {', '.join(missing)}: give all required arguments."
            )


class ToolOptions(typing.TypedDict, total=False):
    """What a function's signature cannot say."""

    name: str
    description: str
    summary: str
    strict: bool
    manual: bool
    timeout: float


@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...
@overload
def tool(**options: typing.Unpack[ToolOptions]) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...
@overload
def tool(
    *, parameters: dict[str, Any], handler: Callable[..., Any], **options: typing.Unpack[ToolOptions]
) -> FunctionTool[..., Any]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    parameters: dict[str, Any] | None = None,
    handler: Callable[..., Any] | None = None,
    **options: Any,
) -> Any:
    """Make a function callable by a model.

    `@tool` on a typed function takes the name, the description (its docstring, with an `Args:` section for the
    parameters) and the JSON Schema from it, and validates what the model passes through pydantic. A parameter annotated
    `ToolContext` is filled in and not shown to the model. With `parameters=` and `handler=` the schema is written by hand,
    and the handler receives one mapping.

    A handler is a function (run on a thread of its own), an `async` function, or returns an `Observable` whose items are
    progress and whose last item is the result. It may return `AskUser` or `Halt`.

    Args:
        function: the function, when used as a bare decorator.
        parameters: a JSON Schema, an object.
        handler: runs a tool with a hand-written schema.
        options: `name`, `description`, `summary`, `strict`, `manual`, `timeout` in seconds.

    Raises:
        ValidationError: `invalid_tool`; a parameter has no type or cannot be passed by name, the schema is no object, or the
            name is not one.
    """
    if parameters is not None or handler is not None:
        return _by_hand(parameters, handler, options)
    if function is not None:
        return _from_signature(function, options)

    def decorate(decorated: Callable[..., Any]) -> FunctionTool[..., Any]:
        return _from_signature(decorated, options)

    return decorate


def _by_hand(
    parameters: dict[str, Any] | None, handler: Callable[..., Any] | None, options: dict[str, Any]
) -> FunctionTool[..., Any]:
    if parameters is None or handler is None or "name" not in options:
        raise TypeError("A tool with a hand-written schema takes `name`, `parameters` and `handler`.")
    description = options.pop("description", None) or inspect.getdoc(handler) or ""
    spec = Tool(parameters=parameters, description=description, **options)
    hints = _hints(handler)
    return FunctionTool(handler, spec, arguments=None, context_name=_context_name(handler, hints))


def _from_signature(function: Callable[..., Any], options: dict[str, Any]) -> FunctionTool[..., Any]:
    name = options.get("name") or function.__name__
    hints = _hints(function)
    context_name = _context_name(function, hints)
    prose, described = _documentation(function)
    fields: dict[str, Any] = {}
    for index, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.name != context_name:  # aliased, because a parameter may be called like a method of the model
            fields[f"parameter_{index}"] = _field(name, parameter, hints, described)
    model: type[BaseModel] = create_model(f"{name}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
    schema = _schema(model)
    spec = Tool(**{"name": name, "description": prose, "parameters": {"properties": {}, **schema}, **options})
    return FunctionTool(function, spec, arguments=model, context_name=context_name)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema: dict[str, Any] = model.model_json_schema()
    schema.pop("title", None)
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    for part in properties.values():
        part.pop("title", None)  # pydantic's title only repeats the name
    return schema


def _field(
    tool_name: str, parameter: inspect.Parameter, hints: Mapping[str, Any], described: Mapping[str, str]
) -> tuple[Any, Any]:
    if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise _refused(tool_name, parameter.name, "the model passes arguments by name: make it an ordinary parameter")
    if parameter.name not in hints:
        raise _refused(tool_name, parameter.name, "it has no type, and the model has to be told one: annotate it")
    default = ... if parameter.default is parameter.empty else parameter.default
    annotation = hints[parameter.name]
    try:
        pydantic.TypeAdapter[Any](annotation).json_schema()
    except pydantic.errors.PydanticUserError as error:
        raise _refused(tool_name, parameter.name, f"its type has no schema ({error.message.splitlines()[0]})") from None
    told = described.get(parameter.name)
    info = Field(alias=parameter.name) if told is None else Field(alias=parameter.name, description=told)
    return typing.Annotated[annotation, info], default


def _refused(tool_name: str, parameter: str, what: str) -> ValidationError:
    path = ("tools", tool_name, "parameters", parameter)
    return ValidationError.of("invalid_tool", Issue(path, "unsupported_parameter", f"parameter {parameter!r}: {what}"))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        name = getattr(function, "__name__", repr(function))
        issue = Issue(("tools", name), "unresolved_annotation", f"{error}: import it where the module is run, at its top level")
        raise ValidationError.of("invalid_tool", issue) from None


def _context_name(function: Callable[..., Any], hints: Mapping[str, Any]) -> str | None:
    names = inspect.signature(function).parameters
    return next((name for name in names if hints.get(name) is ToolContext), None)


def _gives_observable(function: Callable[..., Any]) -> bool:
    hint = _hints(function).get("return")
    origin = typing.get_origin(hint) or hint
    return isinstance(origin, type) and any(base.__name__ == "Observable" for base in origin.__mro__)


def _documentation(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Split a docstring into its prose and what its `Args:` section says of each parameter."""
    prose: list[str] = []
    described: dict[str, str] = {}
    current: str | None = None
    within = False
    for line in (inspect.getdoc(function) or "").splitlines():
        if _SECTION.match(line):
            within = True
        elif within and (match := _ARGUMENT.match(line)):
            current = str(match.group(1))
            described[current] = match.group(2)
        elif within and current is not None and line.startswith("    "):
            described[current] += f" {line.strip()}"
        elif re.match(r"^(Returns|Raises|Yields|Example|Examples|Note):\s*$", line):
            break
        elif not within:
            prose.append(line)
    return "\n".join(prose).strip(), {name: text.strip() for name, text in described.items()}


def _complaint(name: str, error: pydantic.ValidationError) -> str:
    problems = [
        f"{'.'.join(str(key) for key in item['loc']) or 'arguments'}: {item['msg']}"
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return f"The arguments of {name!r} do not fit its schema: {'; '.join(problems)}."
