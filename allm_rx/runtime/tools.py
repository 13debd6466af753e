"""Functions as tools: name, description, schema and validation come from a typed signature.

Rule 1: what cannot be a tool is refused when the tool is made, with the parameter and what to do.
Rule 2: a parameter annotated `ToolContext` is filled in and not shown to the model; so are those that a `partial` has bound.
Rule 3: the handler is called with what the model gave and nothing else, so its own defaults hold.
"""

from __future__ import annotations

import difflib
import inspect
import typing
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from reactivex import Observable

from allm_rx.data.tools import ProviderTool, Tool
from allm_rx.data.translation import shown
from allm_rx.data.validation import check_tools
from allm_rx.errors import Issue, ToolError, ValidationError
from allm_rx.runtime.docstrings import described
from allm_rx.runtime.signatures import Arguments, Signature, doc_of, hints_of, takes_mapping, target_of

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from allm_rx.abc.tools import ToolContext

P = ParamSpec("P")
R = TypeVar("R")


class FunctionTool(Generic[P, R]):
    """A function the model can call; still callable by everyone else."""

    __name__: str

    def __init__(
        self,
        handler: Callable[P, R],
        spec: Tool,
        *,
        arguments: Arguments | None,
        context_names: tuple[str, ...] = (),
    ) -> None:
        """Join a handler with its description; `tool` makes these.

        Args:
            handler: runs the tool.
            spec: what the model sees.
            arguments: validates them; None hands the handler one mapping, as a hand-written schema has no types.
            context_names: the parameters that receive the `ToolContext`.

        Raises:
            ValidationError: `invalid_tool`, the name or the schema is not one.
        """
        check_tools([spec])
        update_wrapper(cast("Callable[..., Any]", self), handler, updated=())  # a function's own attributes stay its own
        self.handler = handler
        self.spec = spec
        self._arguments = arguments
        self._context_names = context_names
        self._blocking = not inspect.iscoroutinefunction(target_of(handler)) and not _gives_observable(handler)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, as if it were no tool."""
        return self.handler(*args, **kwargs)

    @property
    def blocking(self) -> bool:
        """Whether the call may block, and so belongs on a thread of its own."""
        return self._blocking

    def bind(self, arguments: Mapping[str, Any], context: ToolContext, /) -> Callable[[], Any]:
        """Give the call of the handler, its arguments validated; see `abc.tools.Handled`."""
        handler = cast("Callable[..., Any]", self.handler)
        extra = dict.fromkeys(self._context_names, context)
        if self._arguments is None:
            self._check_required(arguments)
            return lambda: handler(dict(arguments), **extra)
        keywords = self._arguments.keywords(arguments)
        return lambda: handler(**keywords, **extra)

    def __repr__(self) -> str:
        """Show the tool's name."""
        return f"FunctionTool({self.spec.name!r})"

    def __reduce__(self) -> str:
        """Refuse to be pickled.

        Raises:
            TypeError: always; a handler is code, `spec` is the data.
        """
        raise TypeError(f"Tool {self.spec.name!r} has a handler and cannot be pickled: send its `spec`, build it in the worker.")

    def _check_required(self, arguments: Mapping[str, Any]) -> None:
        required = self.spec.parameters.get("required")
        missing = [name for name in required if name not in arguments] if isinstance(required, list) else []
        if missing:
            raise ToolError(
                "invalid_arguments",
                f"The call of {self.spec.name!r} misses {', '.join(map(str, missing))}: give all required arguments.",
            )


class ToolOptions(typing.TypedDict, total=False):
    """What a function's signature cannot say."""

    name: str
    description: str
    summary: str
    strict: bool
    manual: bool
    timeout: float
    metadata: dict[str, Any]


@overload
def tool(function: Callable[P, R], /, **options: typing.Unpack[ToolOptions]) -> FunctionTool[P, R]: ...
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
    and the handler receives one mapping, of which only the presence of required keys is checked.

    A handler is a function (run on a thread of its own), an `async` function, or returns an `Observable` whose items are
    progress and whose last item is the result. It may return `AskUser` or `Halt`. A method is made a tool where it is bound,
    `tool(shop.look_up)`; so is a `functools.partial`, whose bound arguments the model does not see.

    Args:
        function: the function; without it the call is a decorator.
        parameters: a JSON Schema, an object.
        handler: runs a tool with a hand-written schema.
        options: `name`, `description`, `summary`, `strict`, `manual`, `timeout` in seconds, `metadata`.

    Raises:
        TypeError: an option is unknown, or what is given is no function.
        ValidationError: `invalid_tool`; a parameter has no type or cannot be passed by name, the schema is no object, or the
            name is not one.
    """
    for name in options:
        if name not in ToolOptions.__annotations__:
            near = difflib.get_close_matches(name, ToolOptions.__annotations__, n=1) or sorted(ToolOptions.__annotations__)
            raise TypeError(f"tool() got an unknown option {name!r}: use {' or '.join(map(repr, near))}.")
    if parameters is not None or handler is not None:
        if parameters is None or handler is None or function is not None or "name" not in options:
            raise TypeError("A tool with a hand-written schema takes `name`, `parameters` and `handler`.")
        return _by_hand(parameters, handler, options)
    if function is not None:
        return _from_signature(function, options)

    def decorate(decorated: Callable[..., Any]) -> FunctionTool[..., Any]:
        return _from_signature(decorated, options)

    return decorate


def spec_of(tool: Any) -> Tool | ProviderTool:
    """Give a tool as the model sees it.

    Raises:
        ValidationError: `invalid_tool`, it is no tool.
    """
    if isinstance(tool, (Tool, ProviderTool)):
        return tool
    spec = getattr(tool, "spec", None)
    if isinstance(spec, Tool):
        return spec
    hint = "put `@tool` over it" if callable(tool) else "use `@tool`, `Tool(...)` or `provider_tool(...)`"
    raise ValidationError.of("invalid_tool", Issue(("tools",), "invalid_type", f"{shown(tool)} is no tool: {hint}"))


def merged_tools(*groups: Sequence[Any]) -> tuple[Any, ...]:
    """Give the tools of several groups: by name, in order of first sight, the newer wins.

    Raises:
        ValidationError: `invalid_tool`; something is no tool, or one group has two tools of a name.
    """
    by_name: dict[object, Any] = {}
    for group in groups:
        keys: set[object] = set()
        for tool in group:
            spec = spec_of(tool)
            key = spec if isinstance(spec, ProviderTool) else spec.name  # a provider may have several of a name
            if key in keys and not isinstance(spec, ProviderTool):
                what = f"two tools of one list are called {shown(key)}: rename one, with `tool(name=...)`"
                raise ValidationError.of("invalid_tool", Issue(("tools",), "duplicate_name", what))
            keys.add(key)
            by_name[key] = tool
    return tuple(by_name.values())


def _by_hand(parameters: dict[str, Any], handler: Callable[..., Any], options: dict[str, Any]) -> FunctionTool[..., Any]:
    context_names = takes_mapping(handler, options["name"])
    spec = Tool(**{"description": doc_of(handler) or "", **options, "parameters": parameters})
    return FunctionTool(handler, spec, arguments=None, context_names=context_names)


def _from_signature(function: Callable[..., Any], options: dict[str, Any]) -> FunctionTool[..., Any]:
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"tool() makes tools of functions, not of {shown(function)}: decorate a function, or use `Tool(...)`.")
    if isinstance(function, FunctionTool):
        function = cast("Callable[..., Any]", function.handler)
    name = options["name"] if "name" in options else getattr(target_of(function), "__name__", "")
    signature = Signature.of(function, name)
    prose, descriptions = described(doc_of(function))
    arguments = Arguments(signature, descriptions)
    spec = Tool(**{"description": prose, "parameters": arguments.schema(), **options, "name": name})
    return FunctionTool(function, spec, arguments=arguments, context_names=signature.context_names)


def _gives_observable(function: Callable[..., Any]) -> bool:
    hint = hints_of(function).get("return")
    kind = typing.get_origin(hint) or hint
    return isinstance(kind, type) and issubclass(kind, Observable)
