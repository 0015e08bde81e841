from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.instants import parse_timestamp
from guardrails.language.folder import folder_of, read_folder
from guardrails.toolchain.lint.finding import Edit, Finding, Region
from guardrails.toolchain.lint.fixes import Fixed, choose, edit_text, fix_all, write
from guardrails.toolchain.lint.linter import Linter
from guardrails.toolchain.lint.registry import all_rules
from guardrails.toolchain.lint.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

NOW = parse_timestamp("2026-06-01T10:00:00Z").ns
ONLY = {"unanchored-pattern"}
LEVELS = {id_: rule.severity if id_ in ONLY else None for id_, rule in all_rules().items()}
LINTER = Linter("policies", NOW, Settings(LEVELS))


def policy(pattern: str, newline: str = "\n") -> str:
    lines = (
        "version: 1",
        "policy: p",
        "rules:",
        "  - id: a",
        "    effect: allow",
        "    tools: t",
        f"    when: {pattern}",
        "",
    )
    return newline.join(lines)


def fix(text: str | bytes) -> Fixed:
    folder = folder_of({"p.yaml": text})
    return fix_all(folder, LINTER, LINTER.lint(folder))


def finding(*edits: Edit) -> Finding:
    return Finding(Region("p.yaml", 1, 1), "m", "w", "m", fix=edits)


def test_fixes_are_made_and_the_report_is_of_what_is_left() -> None:
    both = 'arguments.a.matches("a") && arguments.b.matches("b") && arguments.c.matches("^c")'
    fixed = fix(policy(both))
    assert fixed.mended == 2
    assert [each.message for each in fixed.report.findings] == [
        "the pattern `^c` is not bound at its end"
    ]
    (change,) = fixed.changes
    mended = both.replace('"a"', '"^a$"').replace('"b"', '"^b$"')
    assert change.after.decode() == policy(mended)


def test_a_mark_of_byte_order_and_line_breaks_stay_as_they_are() -> None:
    before = "\ufeff" + policy('arguments.a.matches("ä")', newline="\r\n")
    (change,) = fix(before.encode()).changes
    assert change.before.decode() == before
    assert change.after.decode() == before.replace('"ä"', '"^ä$"')


def test_what_has_no_fix_is_left_as_it_is() -> None:
    fixed = fix(policy('arguments.a.matches("^a")'))
    assert (fixed.changes, fixed.mended, len(fixed.report.findings)) == ((), 0, 1)


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ("""arguments.a.matches("a")""", """arguments.a.matches("^a$")"""),
        ("""'arguments.a.matches("a")'""", """'arguments.a.matches("^a$")'"""),
        ('''"arguments.a.matches(\\"a\\")"''', '''"arguments.a.matches(\\"^a$\\")"'''),
        ("""'arguments.a.matches(''a'')'""", """'arguments.a.matches(''^a$'')'"""),
        (""">-\n      arguments.a.matches("a")""", """>-\n      arguments.a.matches("^a$")"""),
        ("""|\n      arguments.a.matches("a")""", """|\n      arguments.a.matches("^a$")"""),
    ],
    ids=["plain", "single", "double with escapes", "single doubled", "folded", "literal"],
)
def test_a_fix_is_written_as_the_kind_of_yaml_text_around_it_wants(
    written: str, mended: str
) -> None:
    (change,) = fix(policy(written)).changes
    assert change.after.decode() == policy(mended)


def test_of_fixes_that_touch_the_first_is_chosen_whole() -> None:
    one = finding(Edit("p.yaml", 0, 2, "x"), Edit("p.yaml", 8, 9, "y"))
    two = finding(Edit("p.yaml", 2, 3, "z"))
    three = finding(Edit("p.yaml", 5, 6, "z"), Edit("p.yaml", 9, 9, "z"))
    other = finding(Edit("q.yaml", 0, 2, "x"))
    same = finding(Edit("q.yaml", 0, 2, "x"))
    assert choose([one, two, three, other, same]) == [one.fix, other.fix]


def test_edits_are_made_from_the_end_backwards() -> None:
    edits = [Edit("p", 0, 1, "xyz"), Edit("p", 2, 2, "!"), Edit("p", 3, 5, "")]
    assert edit_text("abcde", edits) == "xyzb!c"


def test_a_round_after_which_the_policies_would_not_load_is_not_made() -> None:
    folder = folder_of({"p.yaml": policy('"true"')})
    report = LINTER.lint(folder)
    broken = finding(Edit("p.yaml", 0, 7, "vision"))
    fixed = fix_all(folder, LINTER, type(report)((broken,)))
    assert (fixed.changes, fixed.mended) == ((), 0)


def test_a_file_is_replaced_at_once_keeping_its_mode_and_the_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "p.yaml"
    real.write_text(policy('arguments.a.matches("a")'))
    real.chmod(0o640)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").symlink_to(real)
    files = read_folder(folder)
    fixed = fix_all(files, LINTER, LINTER.lint(files))
    write(fixed.changes)
    assert (folder / "p.yaml").is_symlink()
    assert real.read_text() == policy('arguments.a.matches("^a$")')
    assert real.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in (tmp_path / "real").iterdir()] == ["p.yaml"]


def test_a_diff_shows_the_lines_that_change() -> None:
    (change,) = fix(policy('arguments.a.matches("a")')).changes
    shown = list(change.diff())
    assert shown[:2] == ["--- p.yaml", "+++ p.yaml"]
    assert '-    when: arguments.a.matches("a")' in shown
    assert '+    when: arguments.a.matches("^a$")' in shown
