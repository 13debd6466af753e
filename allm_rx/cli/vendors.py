"""Which vendors there are, what they need, and what to do when no model was named.

Rule: no model is chosen for the user. Names of models age, prices differ, and a wrong guess is paid for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from allm_rx.abc.adapter import Call
from allm_rx.cli.arguments import MODEL_VARIABLE
from allm_rx.data.messages import user
from allm_rx.data.requests import Request
from allm_rx.errors import EngineError
from allm_rx.runtime.host import HOST
from allm_rx.runtime.registry import adapter_for, vendors

if TYPE_CHECKING:
    from allm_rx.abc.adapter import Adapter


@dataclass(frozen=True, slots=True)
class Vendor:
    """A name for the part before the colon, and what it needs."""

    name: str
    key_variables: tuple[str, ...]
    """Environment variables that may hold its key."""
    key_found: bool
    """Whether a key is there, from wherever keys are taken."""
    needs_key: bool
    """Whether a request is refused because there is none."""


def known() -> list[Vendor]:
    """Give all vendors of `Engine.from_model`, those of other packages included, by name."""
    return [_vendor(name, adapter_for(f"{name}:any")[0]) for name in vendors()]


def listing() -> str:
    """Give the vendors as a table."""
    rows = known()
    width = max(len(row.name) for row in rows)
    return "\n".join(f"{row.name:<{width}}  {_need(row)}" for row in rows)


def advice() -> str:
    """Tell what to do when no model was named, by what is set on this machine."""
    rows = known()
    ready = [row for row in rows if row.key_found]
    lines = [f"No model is given: pass `-m vendor:model`, or set {MODEL_VARIABLE}."]
    if ready:
        lines += ["", "With the keys that are set:"]
        lines += [f'    allm-rx -m {row.name}:MODEL "your prompt"' for row in ready]
    else:
        lines += ["", "No key is set. Put one into its vendor's variable, for example:"]
        lines += ["    export OPENAI_API_KEY=...", '    allm-rx -m openai-chat:gpt-4.1-mini "your prompt"']
    local = ", ".join(row.name for row in rows if not row.needs_key and not row.key_found)
    lines += ["", f"Without a key: a server of your own ({local}), or `allm-rx demo`."]
    lines += ["All vendors and their variables: `allm-rx --list`."]
    return "\n".join(lines)


def _vendor(name: str, adapter: Adapter) -> Vendor:
    # An adapter of another package may lack it; then all that is known is whether it asks for a key.
    variables = cast("tuple[str, ...]", tuple(getattr(adapter, "key_variables", None) or ()))
    found = bool(variables) and HOST.keys.find(adapter.provider, variables) is not None
    return Vendor(name, variables, found, needs_key=not found and _asks_for_key(adapter))


def _asks_for_key(adapter: Adapter) -> bool:
    request = Request(messages=(user("Is a key needed?"),), model="any")
    try:
        adapter.preflight(request, Call(host=HOST, request_id="key-check"))
    except EngineError as error:
        return error.reason == "missing_key"
    return False


def _need(row: Vendor) -> str:
    names = " or ".join(row.key_variables)
    if row.key_found:
        return f"{names} (set)"
    return names or "a key" if row.needs_key else "no key needed"
