"""What the benchmarks write: a page between its markers, and a picture."""

from xml.etree import ElementTree

from benchmarks.answers import Answer
from benchmarks.contest import FLOOR, OURS, Entry
from benchmarks.harness import Row, Table, compared
from benchmarks.page import with_tables
from benchmarks.plot import drawn

SVG = "{http://www.w3.org/2000/svg}"
TABLE = Table(
    "CPU of <one> & all",
    [Row("floor", 10, "ns", 1.0, who="floor"), Row("ours", 12, "ns", 1.2), Row("theirs", 1000, "ns", 100.0, who="peer")],
)


def test_an_answer_is_named_by_its_path() -> None:
    """The path holds all there is to know of it."""
    answer = Answer(chunks=3, together=2, pace=5, held=1, length=9, turns=4)

    assert Answer.named(answer.path) == answer


def test_ratios_are_to_the_floor_and_to_ours() -> None:
    """Others are also told as multiples of what ours costs."""
    peer = Entry("openai", "openai")

    rows = compared([FLOOR, OURS, peer], {"floor": [2.0], "stream_generate": [3.0], "openai": [30.0]}, "ns")

    assert [(row.ratio, row.who, row.note) for row in rows] == [
        (1.0, "floor", ""),
        (1.5, "ours", ""),
        (15.0, "peer", "10.0 x ours"),
    ]


def test_only_what_stands_between_the_markers_is_written_anew() -> None:
    """The prose is a person's."""
    page = "before\n<!-- tables: written by `make bench` -->\nold\n<!-- end of tables -->\nafter\n"

    written = with_tables(page, [TABLE])

    assert written.startswith("before\n<!-- tables: written by `make bench` -->\nMeasured on ")
    assert written.endswith("| theirs | 1,000.00 | ns | 100.00 |  |  |\n<!-- end of tables -->\nafter\n")
    assert "old" not in written


def test_a_table_is_drawn_as_a_bar_for_each_ratio() -> None:
    """On a logarithmic scale, 1 to 100 is as long as 0.1 to 10."""
    picture = ElementTree.fromstring(drawn(TABLE))

    bars = [(bar.get("class"), float(bar.get("width", ""))) for bar in picture.iter(f"{SVG}rect")]

    assert [kind for kind, _ in bars] == ["floor", "ours", "peer"]
    assert bars[2][1] == 3 * bars[0][1]


def test_a_row_without_a_ratio_is_not_drawn() -> None:
    """A picture without any row is one all the same."""
    table = Table("Nothing", [Row("added", 3, "ms")])

    assert not list(ElementTree.fromstring(drawn(table)).iter(f"{SVG}rect"))
