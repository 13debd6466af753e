"""The page on providers says what the adapters do, and names every service."""

from allm_rx.adapters import Gemini, OpenAI, OpenAIChat
from allm_rx.adapters.anthropic.auth import KEY_VARIABLES
from allm_rx.runtime.endpoints import ENDPOINTS
from allm_rx.runtime.options import MODEL
from tests.docs.capabilities import COLUMNS, PAGE, ROWS, WORDS, filled, quirks_of


def answers(label: str) -> dict[str, str]:
    """Give what the adapters answer to one question, by their titles."""
    return {column.title: ROWS[label](column) for column in COLUMNS}


def test_tables_are_made_by_code() -> None:
    """The page has what the adapters answer now; `python -m tests.docs.capabilities` writes it again."""
    page = PAGE.read_text("utf-8")

    assert page == filled(page)


def test_every_option_is_in_the_table() -> None:
    """No model option is left out."""
    labels = " ".join(ROWS)

    assert [name for name in MODEL - {"model", "tools", "provider_options"} if f"`{name}`" not in labels] == []


def test_every_difference_of_a_service_has_words() -> None:
    """A service that wants something else says so; no words are left over."""
    differences = {quirk for endpoint in ENDPOINTS.values() for quirk in quirks_of(endpoint.quirks)}

    assert differences == WORDS.keys()


def test_probes_ask_the_adapters() -> None:
    """What an adapter is known to refuse is a "no" in its column and in no other."""
    assert [title for title, cell in answers("`seed`").items() if cell == "no"] == ["`Anthropic`", "`OpenAI`"]
    assert [title for title, cell in answers("sound").items() if cell == "no"] == ["`Anthropic`", "`OpenAI`"]
    assert set(answers("tools").values()) == {"yes"}


def test_page_names_the_variables_that_are_read() -> None:
    """The variables of keys are those of the adapters."""
    page = PAGE.read_text("utf-8")
    read = {
        *KEY_VARIABLES["x-api-key"],
        *(name for one in (OpenAI(), OpenAIChat(), Gemini()) for name in one.key_variables or ()),
    }

    assert [name for name in read if f"`{name}`" not in page] == []
