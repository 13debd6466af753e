"""What the pages say is so: examples print what they promise, links lead somewhere, tables are made by code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allm_rx import errors, operators
from allm_rx.testing.provider_server import ProviderServer
from tests.docs.pages import PAGES, ROOT, Block, blocks, links, name
from tests.docs.provider import respond
from tests.docs.tables import GROUPS, MEANINGS, REASONS, TABLES, filled
from tests.gui.display import shown

WINDOWS = [block for page in PAGES for block in blocks(page) if block.toolkit]
GUIDES = [page for page in PAGES if page.parent.name == "guides"]
MOST_LINES_OF_README = 120
FIRST_BLOCK_WITHIN = 15
FIRST_EXAMPLE_BY = 30


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    """The provider that all examples with a key are led to."""
    with ProviderServer(respond) as server:
        yield server


@pytest.fixture
def keyed(provider: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user with a key has: two variables; see `tests.docs.provider`."""
    monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url("openai-chat"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-examples")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_examples_print_what_they_promise(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in order, in one namespace, and each prints exactly its `#>` lines."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}

    for block in blocks(page):
        if not block.toolkit:
            assert block.run(namespace) == block.expected, f"{name(page)}, line {block.line}"


@pytest.mark.parametrize("block", WINDOWS, ids=lambda block: f"{name(block.page)}:{block.line}")
def test_programs_with_a_window_print_what_they_promise(block: Block) -> None:
    """A block that names a toolkit is a whole program: it runs in a process of its own, on a display that nobody sees."""
    # The display that Qt draws nowhere says of itself what it cannot do.
    printed = shown(block.toolkit, ["-c", block.code], QT_LOGGING_RULES="default.warning=false")

    assert printed.splitlines() == block.expected


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link within the tree names a file that is there."""
    assert [to for to in links(page) if not (page.parent / to).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent == ROOT / "docs" or page in GUIDES], ids=name)
def test_every_page_can_be_found(page: Path) -> None:
    """The index leads to every page."""
    index = ROOT / "docs" / "index.md"

    assert page == index or page in {(index.parent / to).resolve() for to in links(index)}


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_guides_begin_with_something_to_run(page: Path) -> None:
    """The first block of a guide begins within its first lines and needs nothing but the library."""
    first = next(blocks(page))

    assert first.line <= FIRST_BLOCK_WITHIN
    assert "from_model" not in first.code


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_guides_end_alike(page: Path) -> None:
    """A guide's last two sections say what can go wrong and where to go on."""
    headings = [line for line in page.read_text("utf-8").splitlines() if line.startswith("## ")]

    assert headings[-2:] == ["## What can go wrong", "## Where next"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=name)
def test_a_source_line_is_a_sentence(page: Path) -> None:
    """Prose has one whole sentence per line, so that a change of one is a change of one line."""
    wrong = [line for line in _prose(page) if ". " in line or not line.endswith((".", ":"))]

    assert wrong == []


def test_the_readme_is_short() -> None:
    """The README can be read in one go, and shows code early."""
    readme = ROOT / "README.md"

    assert len(readme.read_text("utf-8").splitlines()) < MOST_LINES_OF_README
    assert next(blocks(readme)).line < FIRST_EXAMPLE_BY


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_made_by_code(table: str) -> None:
    """A table of a guide is what the code gives; `python -m tests.docs.tables` writes it again."""
    page = ROOT / "docs" / "guides" / f"{table}.md"

    assert page.read_text("utf-8") == filled(page.read_text("utf-8"), table)


def test_every_reason_has_its_meaning() -> None:
    """The table of errors has every class with every reason of it, and explains nothing that is not there."""
    classes = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.AllmError)}

    assert {cls: frozenset(reasons) for cls, reasons in REASONS.items()} == {
        cls: cls.reasons for cls in classes - {errors.AllmError}
    }
    assert set(MEANINGS) == {(cls.__name__, reason) for cls, reasons in REASONS.items() for reason in reasons}


def test_every_operator_has_its_place() -> None:
    """The table of operators has each of them, once."""
    assert sorted(name for names in GROUPS.values() for name in names) == list(operators.__all__)


def test_a_block_that_prints_something_else_is_found() -> None:
    """The comparison of the examples is exact."""
    block = Block(ROOT / "README.md", 1, "print('one')\n#> two\n")

    assert (block.run({}), block.expected) == (["one"], ["two"])


def _prose(page: Path) -> Iterator[str]:
    code = False
    for line in page.read_text("utf-8").splitlines():
        if line.lstrip().startswith("```"):
            code = not code
        elif line and not code and not line.startswith(("|", "#", "<!--", "![")):
            yield line.removeprefix("- ").lstrip("0123456789").removeprefix(". ")
