"""Search, guided by coverage, for bytes that break a property: `python -m tests.fuzz.guided [target ...] [--seconds 60]`.

Rule 1: the properties are those that the tests check; here is said what the searched bytes mean to them.
Rule 2: a target is searched in a process of its own, bounded in time and memory, beginning with what the tests carry.
Rule 3: bytes that break it are kept in a file whose name is told; `--here target file` tries them again.
"""

import argparse
import importlib
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

AVAILABLE = importlib.util.find_spec("atheris") is not None
"""Whether the fuzzer is installed; it has no builds for some systems."""

Target = Callable[[bytes], None]

_LIMITS = ("-timeout=20", "-rss_limit_mb=2048", "-max_len=20000")
"""Seconds and MiB that one input may cost, and its bytes."""
_SHORT = 3000
"""Bytes of an example that a moment of search has time for."""
_SIZES = 64
"""Bytes of a read at most; most borders between reads lie within a record then."""


def targets(properties: Any) -> dict[str, Target]:
    """Give what is searched for, by name, for the module of the properties."""
    streams = {protocol: _stream(properties, protocol) for protocol in properties.NAMES}
    documents = {name: _document(properties, name) for name in properties.DOCUMENTS}
    made: dict[str, Target] = {
        "records": _records,
        "partial-json": lambda data: _partial_json(properties, data),
        "template": lambda data: _template(properties, data),
        "event": properties.event_is_one_or_refused,
        **streams,
        **documents,
    }
    return {**made, "everything": _everything(list(made.values()))}


def examples(properties: Any) -> dict[str, list[bytes]]:
    """Give what the search for each target begins with."""
    head = bytes((7, 0))
    recordings = {provider.name: [head + body for body in provider.recordings.values()] for provider in properties.PROVIDERS}
    record = b'{"id":"a","choices":[{"delta":{"content":"%b"}}]}'
    documents = {name: [properties.written(name)] for name in properties.DOCUMENTS}
    made: dict[str, list[bytes]] = {
        "records": [body for bodies in recordings.values() for body in bodies],
        "partial-json": [head + b'{"city": "Oslo", "days": [1, 2.5, null], "note": "\\ud83d\\ude00 by tr'],
        "template": [record % b"one" + _BETWEEN + record % b"two"],
        "event": [properties.ev.dumps(event).encode() for event in properties.EVENTS],
        **recordings,
        **documents,
    }
    short = [(index, example) for index, some in enumerate(made.values()) for example in some if len(example) < _SHORT]
    everything = [bytes((index,)) + example for index, example in short]
    return {**made, "everything": everything}


# What bytes mean to a target.

_BETWEEN = b"\x00"


def _records(data: bytes) -> None:
    from tests.wire.event_streams import reads_do_not_matter, standard_is_obeyed  # noqa: PLC0415 - see `search`

    size, limit, wire = 1 + _at(data, 0) % _SIZES, (5, 30, 1000, 10**6)[_at(data, 1) % 4], data[2:]
    reads = [wire[start : start + size] for start in range(0, len(wire), size)]
    reads_do_not_matter(wire, reads, limit)
    if not any(added in wire for added in (b"error", b"{", b"[")):
        standard_is_obeyed(reads)


def _partial_json(properties: Any, data: bytes) -> None:
    text = data[1:].decode("utf-8", "surrogateescape")
    properties.partial_json_is_calm(text, 1 + _at(data, 0) % _SIZES)
    properties.arguments_are_an_object_or_a_complaint(text)


def _template(properties: Any, data: bytes) -> None:
    first, _, second = data.partition(_BETWEEN)
    properties.template_is_exact(first, second)


def _stream(properties: Any, protocol: str) -> Target:
    def search(data: bytes) -> None:
        size, how, body = 1 + _at(data, 0) % _SIZES, _at(data, 1), data[2:]
        properties.stream_is_sound(protocol, body, size, raw=how % 2 == 1)
        properties.cuts_do_not_matter(protocol, body, size)
        properties.whole_body_is_sound(protocol, body)
        properties.refusal_is_one_error(protocol, 400 + how, body)

    return search


def _document(properties: Any, name: str) -> Target:
    return lambda data: properties.document_is_one_or_refused(name, data)


def _everything(made: Sequence[Target]) -> Target:
    return lambda data: made[_at(data, 0) % len(made)](data[1:])


def _at(data: bytes, index: int) -> int:
    return data[index] if index < len(data) else 0


# The search.


def search(name: str, arguments: Sequence[str]) -> None:
    """Search in this process, which ends with it; the arguments are the fuzzer's own."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["allm_rx"]):  # it watches what is imported here, and not what was before
        properties: ModuleType = importlib.import_module("tests.fuzz.properties")
    atheris.Setup([name, *arguments], targets(properties)[name])
    atheris.Fuzz()


def begin(name: str, folder: Path, given: Iterable[bytes], options: Sequence[str]) -> int:
    """Search in a process of its own, and give its exit status; 0 is nothing found."""
    corpus = folder / name
    corpus.mkdir(parents=True)
    for index, example in enumerate(given):
        (corpus / f"example-{index}").write_bytes(example)
    command = [sys.executable, "-m", "tests.fuzz.guided", "--here", name]
    return subprocess.run(
        [*command, *_LIMITS, f"-artifact_prefix={folder}/{name}-", *options, str(corpus)], check=False
    ).returncode


def main() -> int:
    """Search, target after target, and give 1 when something was found."""
    if sys.argv[1:2] == ["--here"]:
        search(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    options = parser.parse_args()
    if not AVAILABLE:
        parser.error("the fuzzer `atheris` is not installed; it is made for Linux on x86-64 and Python 3.11 to 3.14")
    properties: Any = importlib.import_module("tests.fuzz.properties")
    known = examples(properties)
    folder = Path(tempfile.mkdtemp(prefix="allm-rx-fuzz-"))
    found: list[str] = []
    for name in options.targets or [name for name in known if name != "everything"]:
        sys.stderr.write(f"== {name}, {options.seconds} s\n")
        if begin(name, folder, known[name], [f"-max_total_time={options.seconds}", "-print_final_stats=1"]):
            found.append(name)
    sys.stderr.write(f"Found in {', '.join(found)}: see {folder}\n" if found else "Nothing found.\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
