"""An engine: which adapter, which model, and the defaults of every call."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, Unpack

from pydantic import SecretStr

from allm_rx.runtime.options import check_names, check_values
from allm_rx.runtime.registry import adapter_for
from allm_rx.runtime.tools import merged_tools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from allm_rx.abc.adapter import Adapter
    from allm_rx.data.policies import RetryPolicy, Timeouts
    from allm_rx.runtime.capabilities import Capabilities
    from allm_rx.runtime.options import Options

_ids = itertools.count(1)


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False, kw_only=True)
class Engine:
    """Everything that stays the same over many calls. Two engines are equal only when they are the same one.

    An engine holds no key: keys are read at each subscription, see `allm_rx.runtime.keys`.
    """

    adapter: Adapter | None = None
    """The provider's protocol, such as `Anthropic()`."""
    model: str | None = None
    """The provider's name of the model."""
    tools: Sequence[Any] = ()
    """Tools of every call; a call's own are merged in by name."""
    params: Mapping[str, Any] = field(default_factory=_nothing)
    """Defaults for any option of the calls, such as `temperature`."""
    context: Mapping[str, Any] = field(default_factory=_nothing, repr=False)
    """Values for the tools' handlers; never sent to a provider."""
    retry: RetryPolicy | bool | None = None
    timeouts: Timeouts | None = None
    capabilities: Capabilities | None = None
    """What the model can do, where the library's own table is wrong."""
    id: int = field(default_factory=lambda: next(_ids), repr=False)
    """Unique in this process."""

    def __post_init__(self) -> None:
        """Check the defaults as the calls check their options.

        Raises:
            TypeError: `params` has an unknown name.
            ValidationError: a field or one of `params` has an impossible value, or something among the tools is none.
        """
        check_names(self.params, where="Engine(params=...)")
        check_values(self.params)
        check_values({"retry": self.retry, "timeouts": self.timeouts, "context": self.context})
        params = dict(self.params)
        if isinstance(key := params.get("api_key"), str):
            params["api_key"] = SecretStr(key)  # a repr shows params
        object.__setattr__(self, "params", MappingProxyType(params))
        object.__setattr__(self, "context", MappingProxyType(dict(self.context)))
        object.__setattr__(self, "tools", merged_tools(self.tools))

    @classmethod
    def from_model(cls, reference: str, **fields: Any) -> Self:
        """Make an engine from `"vendor:model"`, split at the first colon.

        Args:
            reference: such as `"anthropic:claude-sonnet-4-5"` or `"ollama:qwen3:8b"`.
            fields: other fields of the engine.

        Raises:
            EngineError: `unknown_model_prefix`, the vendor is not registered.
        """
        adapter, model = adapter_for(reference)
        return cls(adapter=adapter, model=model, **fields)

    def replace(self, **fields: Any) -> Self:
        """Give a new engine with some fields changed."""
        return replace(self, **{"id": next(_ids), **fields})

    def with_model(self, model: str) -> Self:
        """Give a new engine for another model of the same adapter."""
        return self.replace(model=model)

    def with_tools(self, *tools: Any) -> Self:
        """Give a new engine with more tools: merged by name, order kept, the newer wins."""
        return self.replace(tools=merged_tools(self.tools, tools))

    def with_params(self, **options: Unpack[Options]) -> Self:
        """Give a new engine with other defaults, over those it has."""
        return self.replace(params={**self.params, **options})

    def with_context(self, **values: Any) -> Self:
        """Give a new engine with more values for the tools' handlers."""
        return self.replace(context={**self.context, **values})

    def __reduce__(self) -> str:
        """Refuse to be pickled.

        Raises:
            TypeError: always; an engine refers to sockets and handlers.
        """
        raise TypeError("An Engine cannot be pickled: build it in the worker, for example with `Engine.from_model(...)`.")
