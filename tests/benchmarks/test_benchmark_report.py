from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.report import Report, Table, duration, ratio, verdicts

if TYPE_CHECKING:
    from pathlib import Path

REPORT = Report(
    name="sums",
    machine="an abacus",
    tables=(Table("Sums", ("", "p50"), (("one and one", "2 s"),)),),
    remarks=("Slowly.",),
    figures={"results": [2]},
)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(94.4, "94 ns"), (999, "999 ns"), (5_284, "5.28 µs"), (70_510, "70.5 µs"), (3.2e9, "3.20 s")],
)
def test_a_duration_has_three_digits_and_its_unit(nanoseconds: float, text: str) -> None:
    assert duration(nanoseconds) == text


@pytest.mark.parametrize(("part", "text"), [(1.5, "1.50 x"), (42.0, "42.0 x"), (5994.2, "5,994 x")])
def test_a_ratio_has_three_digits(part: float, text: str) -> None:
    assert ratio(part, 1.0) == text


def test_the_marked_part_of_a_page_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n\n<!-- sums: measured -->\n\nold\n\n<!-- sums: end -->\n\nAfter\n")
    REPORT.write_markdown(page)
    once = page.read_text()
    REPORT.write_markdown(page)
    assert page.read_text() == once
    assert once == (
        "# Before\n\n<!-- sums: measured -->\n\nMachine: an abacus.\n\n**Sums**\n\n"
        "|  | p50 |\n| :-- | --: |\n| one and one | 2 s |\n\n- Slowly.\n\n"
        "<!-- sums: end -->\n\nAfter\n"
    )


def test_a_page_folds_the_details_away() -> None:
    detailed = replace(REPORT, details=(Table("More", ("",), (("two and two",),)),))
    _, _, folded = detailed.markdown().partition("<details><summary>All figures</summary>\n\n")
    assert folded == "**More**\n\n|  |\n| :-- |\n| two and two |\n\n</details>"


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    with pytest.raises(ValueError, match="sums: measured"):
        REPORT.write_markdown(page)
    assert page.read_text() == "nothing here\n"


def test_the_figures_are_written_as_json_with_the_machine(tmp_path: Path) -> None:
    REPORT.write_json(tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text()) == {
        "benchmark": "sums",
        "machine": "an abacus",
        "results": [2],
    }


def test_a_report_prints_its_machine_tables_and_remarks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    REPORT.show()
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("an abacus", "Sums", "one and one", "2 s", "Slowly."))


def test_goals_say_whether_they_are_reached_missed_or_not_measured() -> None:
    table = verdicts([("fast", True, "1 s"), ("faster", False, "2 s"), ("fastest", None, "")])
    assert [row[-1] for row in table.rows] == ["reached", "not reached", "not measured"]
