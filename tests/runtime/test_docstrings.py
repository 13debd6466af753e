"""What a Google docstring says of a function and its arguments."""

import pytest

from allm_rx.runtime.docstrings import described


def test_a_docstring_without_sections_is_the_description() -> None:
    """All of it, its indentation taken away."""
    text = """Tell the weather.

        Of a city, and only
        of one.
    """

    assert described(text) == ("Tell the weather.\n\nOf a city, and only\nof one.", {})


@pytest.mark.parametrize("text", [None, "", "  \n "])
def test_no_docstring_is_no_description(text: str | None) -> None:
    """And no error."""
    assert described(text) == ("", {})


def test_arguments_are_described() -> None:
    """With or without their types."""
    text = """Tell the weather.

    Args:
        city: Where.
        unit (str, optional): Of the temperature.
        days (list[tuple(int)]): When.
        *more: Others.
    """

    assert described(text) == (
        "Tell the weather.",
        {"city": "Where.", "unit": "Of the temperature.", "days": "When.", "more": "Others."},
    )


def test_a_text_goes_on_as_long_as_it_is_indented() -> None:
    """A line that looks like another argument is not one there."""
    text = """Tell the weather.

    Args:
        city: The city,
            in English. Note: not
            note: a country.

            Nor a river.
        unit:
            Of the temperature.
    """

    assert described(text)[1] == {
        "city": "The city, in English. Note: not note: a country. Nor a river.",
        "unit": "Of the temperature.",
    }


@pytest.mark.parametrize("heading", ["Returns", "Raises", "Yields", "Example", "Examples", "Note", "Emits"])
def test_other_sections_are_not_for_the_model(heading: str) -> None:
    """Before the arguments or after them."""
    other = f"{heading}:\n    something: else.\n\n"
    text = f"Tell.\n\n{other}Args:\n    city: Where.\n\n{other}"

    assert described(text) == ("Tell.", {"city": "Where."})


@pytest.mark.parametrize("heading", ["Args", "Arguments", "Parameters", "Keyword Args"])
def test_arguments_have_several_headings(heading: str) -> None:
    """As people write them."""
    assert described(f"Tell.\n\n{heading}:\n    city: Where.")[1] == {"city": "Where."}


def test_a_line_that_ends_in_a_colon_is_no_section() -> None:
    """Only the known headings are."""
    text = "Tell one of these:\n\nsun, rain"

    assert described(text) == (text, {})


def test_what_is_no_argument_is_left_out() -> None:
    """Prose under `Args:` describes none."""
    assert described("Tell.\n\nArgs:\n    See above.\n        city: no.\n    unit: C.")[1] == {"unit": "C."}
