"""A report on controls as one HTML page that needs nothing else: to be sent, printed, kept."""

from __future__ import annotations

from html import escape as escape_html
from typing import TYPE_CHECKING

from guardrails.display import escape
from guardrails.instants import checked_timestamp, print_timestamp
from guardrails.toolchain.report.controls import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.toolchain.report.controls import Control, ControlReport, Evidence, Section

_STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --paper: #fff;
  --band: #f5f7f9; --served: #17692f; --untested: #8a5600; --watched: #8a5600; --open: #a3231b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #333b44;
  --paper: #12161b; --band: #1a2027; --served: #58c17a; --untested: #e0a83e; --watched: #e0a83e;
  --open: #ff8278; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; break-after: avoid; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
code, .name { font-family: ui-monospace, monospace; font-size: .88em; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0; padding: 0;
  list-style: none; }
.figures li { flex: 1 1 8rem; padding: .75rem 1rem; background: var(--band); border-radius: .5rem; }
.figures b { display: block; font-size: 1.6rem; line-height: 1.2; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { padding: .5rem .6rem; border-top: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem; }
tr { break-inside: avoid; }
th[scope=row] { font-weight: 500; }
col.status { width: 7rem; } col.control { width: 19rem; }
.served { color: var(--served); } .untested { color: var(--untested); }
.watched { color: var(--watched); } .open { color: var(--open); }
.status { font-weight: 600; white-space: nowrap; }
details { margin: 0 0 .15rem; } summary { cursor: pointer; }
details ul { margin: .15rem 0 .4rem; padding-left: 1.2rem; color: var(--soft); font-size: .92em; }
@media (max-width: 40rem) { col.control { width: 11rem; } col.status { width: 5.5rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } .figures li {
  border: 1px solid var(--line); } details::details-content { content-visibility: visible; } }
"""

_MARKS = {Status.SERVED: "✓", Status.UNTESTED: "!", Status.WATCHED: "!", Status.OPEN: "✗"}
_MEANINGS = {
    Status.SERVED: "a rule is in force, and a test that passes reaches it",
    Status.UNTESTED: "a rule is in force that no test reaches",
    Status.WATCHED: "its rules only observe, or have ended",
    Status.OPEN: "no rule names it",
}


def write_page(report: ControlReport) -> str:
    """The page; whatever came from policies is escaped."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Controls and rules</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>",
            "<main>",
            "<h1>Controls and rules</h1>",
            _line_below(report),
            *_figures(report),
            *_holes(report),
            *(part for section in report.sections for part in _section(section)),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _line_below(report: ControlReport) -> str:
    return (
        f'<p class="soft">As of {_moment(report.made_ns)}, policies '
        f"<code>{_text(report.revision)}</code>, {report.tests:,} tests run.</p>"
    )


def _figures(report: ControlReport) -> Iterator[str]:
    yield '<ul class="figures">'
    for status in Status:
        count = sum(section.count(status) for section in report.sections)
        yield (
            f'<li><b class="{status}">{count}</b>{status}: '
            f'<span class="soft">{_MEANINGS[status]}</span></li>'
        )
    yield "</ul>"


def _section(section: Section) -> Iterator[str]:
    served, all_ = section.count(Status.SERVED), len(section.controls)
    yield f'<h2>{_text(section.title)} <span class="soft">{served} of {all_}</span></h2>'
    yield '<table>\n<colgroup><col class="status"><col class="control"><col></colgroup>'
    yield '<thead><tr><th scope="col">Status</th><th scope="col">Control</th>'
    yield '<th scope="col">Rules and tests</th></tr></thead>\n<tbody>'
    yield from map(_row, section.controls)
    yield "</tbody>\n</table>"


def _row(control: Control) -> str:
    status = control.status
    rules = "".join(map(_rule, control.rules)) or '<span class="soft">none</span>'
    title = f'<br><span class="soft">{_text(control.title)}</span>' if control.title else ""
    return (
        f'<tr><td class="status {status}">{_MARKS[status]} {status}</td>'
        f'<th scope="row"><span class="name">{_text(control.name)}</span>{title}</th>'
        f"<td>{rules}</td></tr>"
    )


def _rule(evidence: Evidence) -> str:
    rule, tests = evidence.rule, evidence.tests
    state = "" if evidence.in_force else ", not in force"
    counted = f"{len(tests)} test{'' if len(tests) == 1 else 's'}{state}"
    told = rule.description or rule.message
    items = [f"<li>{_text(told)}</li>"] if told else []
    items += [f"<li>Test: {_text(test)}</li>" for test in tests]
    return (
        f'<details><summary><span class="name">{_text(rule.name)}</span> '
        f'<span class="soft">{rule.effect}, {counted}</span></summary>'
        f"<ul>{''.join(items)}</ul></details>"
    )


def _holes(report: ControlReport) -> Iterator[str]:
    unserved = [
        f"{control.name} {control.title}"
        for section in report.sections
        for control in section.controls
        if control.status is not Status.SERVED
    ]
    yield from _names("Controls that are not served", unserved)
    yield from _names("Tests that fail", report.failed)
    yield from _names("Rules without a test", [rule.name for rule in report.untested])
    yield from _names("Rules without a control", [rule.name for rule in report.unassigned])
    yield from _names("Packs that are not in force", report.absent)


def _names(title: str, names: Sequence[str]) -> Iterable[str]:
    if not names:
        return ()
    items = "".join(f"<li>{_text(name)}</li>" for name in names)
    return (f"<h2>{title}</h2>", f"<ul>{items}</ul>")


def _moment(ns: int) -> str:
    return print_timestamp(checked_timestamp(ns - ns % 1_000_000_000))


def _text(text: str) -> str:
    """`text` with characters that would show otherwise than they are, and HTML's own, escaped."""
    return escape_html(escape(text))
