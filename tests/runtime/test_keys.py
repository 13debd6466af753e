"""Where a key comes from, in which order, and where it never is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from allm_rx.abc.adapter import Call
from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.adapters.openai.chat_completions.options import OPENAI
from allm_rx.errors import EngineError
from allm_rx.execution.calls import generate
from allm_rx.runtime import keys
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.host import HOST
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer

NAMES = ("ACME_API_KEY", "ACME_TOKEN")


@pytest.fixture(autouse=True)
def nothing_stored(tmp_path: Path) -> Iterator[None]:
    yield
    keys.delete("acme")
    keys.delete("openai")
    keys.read_dotenv(tmp_path / "missing")


def found() -> str | None:
    key = keys.find("acme", NAMES)
    return None if key is None else key.get_secret_value()


def dotenv(tmp_path: Path, text: str) -> int:
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    return keys.read_dotenv(tmp_path / ".env")


def test_without_any_there_is_none() -> None:
    """A key that is nowhere is None, not an error; the caller knows what to say."""
    assert found() is None


def test_the_nearest_place_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Call, adapter, store, environment, file: each is used when those before it have none."""
    dotenv(tmp_path, "ACME_API_KEY=file")
    order = [found()]
    monkeypatch.setenv("ACME_API_KEY", "environment")
    order.append(found())
    keys.put("acme", "stored")
    order.append(found())
    call = Call(host=HOST, request_id="r")
    order.append(call.key("acme", NAMES, SecretStr("adapter")).get_secret_value())
    call = Call(host=HOST, request_id="r", api_key=SecretStr("call"))
    order.append(call.key("acme", NAMES, SecretStr("adapter")).get_secret_value())

    assert order == ["file", "environment", "stored", "adapter", "call"]


def test_the_first_variable_that_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are in the order of their likelihood."""
    monkeypatch.setenv("ACME_TOKEN", "second")
    only_second = found()
    monkeypatch.setenv("ACME_API_KEY", "first")

    assert (only_second, found()) == ("second", "first")


def test_an_empty_value_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty field of a dialog, or an empty variable, hides nothing."""
    dotenv(tmp_path, "ACME_API_KEY=file")
    keys.put("acme", "")
    monkeypatch.setenv("ACME_API_KEY", "")

    assert found() == "file"
    assert Call(host=HOST, request_id="r", api_key=SecretStr("")).key("acme", NAMES, SecretStr("")).get_secret_value() == "file"


def test_a_stored_key_can_be_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `delete` the environment counts again; deleting twice is no error."""
    monkeypatch.setenv("ACME_API_KEY", "environment")
    keys.put("acme", SecretStr("stored"))

    keys.delete("acme")
    keys.delete("acme")

    assert found() == "environment"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("ACME_API_KEY=plain", "plain"),
        ("  export ACME_API_KEY = spaced  ", "spaced"),
        ("ACME_API_KEY='single'", "single"),
        ('ACME_API_KEY="double"', "double"),
        ("ACME_API_KEY=a=b", "a=b"),
        ('ACME_API_KEY="one', '"one'),
        ("# ACME_API_KEY=comment", None),
        ("ACME_API_KEY", None),
        ("ACME_API_KEY=", None),
        ("OTHER=x\r\nACME_API_KEY=crlf\r\n", "crlf"),
        ("ACME_API_KEY=old\nACME_API_KEY=new", "new"),
    ],
)
def test_lines_of_a_file(tmp_path: Path, line: str, key: str | None) -> None:
    """Names and values, comments, `export`, and one pair of quotes."""
    dotenv(tmp_path, line)

    assert found() == key


def test_a_file_is_read_only_when_it_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` that lies around is nobody's key until the program says so; the environment is not changed by it."""
    (tmp_path / ".env").write_text("ACME_API_KEY=file")
    monkeypatch.chdir(tmp_path)
    before = found()

    assert keys.read_dotenv() == 1
    assert (before, found()) == (None, "file")
    monkeypatch.setattr("os.environ", {})
    assert found() == "file"


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    """It is no error, and takes away what an earlier file gave."""
    dotenv(tmp_path, "ACME_API_KEY=file")

    assert keys.read_dotenv(tmp_path / "none") == 0
    assert found() is None


def test_a_missing_key_is_named_with_what_to_do() -> None:
    """The error names the provider and its variables."""
    with pytest.raises(EngineError, match="set ACME_API_KEY or ACME_TOKEN, or pass `api_key=`") as caught:
        Call(host=HOST, request_id="r").key("acme", NAMES, None)

    assert (caught.value.reason, caught.value.provider, caught.value.request_id) == ("missing_key", "acme", "r")


def test_a_key_is_read_at_each_subscription() -> None:
    """One that changes between two subscriptions of the same stream is the new one; nothing keeps it."""
    with ProviderServer(Answer("Hi")) as server:
        keys.put("openai", "sk-first-key")
        call = generate(Engine(adapter=OpenAIChat(base_url=server.base_url("openai-chat"), provider="openai"), model="m"), "Hi")

        call.run()
        keys.put("openai", "sk-second-key")
        call.run()

        assert [request.headers["Authorization"] for request in server.requests] == [
            "Bearer sk-first-key",
            "Bearer sk-second-key",
        ]


def test_a_key_that_is_gone_at_the_subscription_is_an_error_event() -> None:
    """The call was accepted; what failed later arrives in band, and nothing is sent."""
    with ProviderServer(Answer("Hi")) as server:
        keys.put("openai", "sk-first-key")
        adapter = OpenAIChat(base_url=server.base_url("openai-chat"), quirks=OPENAI)  # which cannot do without a key
        call = generate(Engine(adapter=adapter, model="m"), "Hi")
        keys.delete("openai")

        error = call.run().error

        assert error is not None
        assert (error.kind, error.reason, len(server.requests)) == ("EngineError", "missing_key", 0)


def test_keys_are_masked_wherever_they_are_kept() -> None:
    """What is stored and what is found shows itself as stars."""
    keys.put("acme", "sk-secret-123456")

    assert "secret-1" not in repr(keys.find("acme", NAMES))
