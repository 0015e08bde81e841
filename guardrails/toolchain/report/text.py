"""A report on controls, told in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.toolchain.lines import Tone, line
from guardrails.toolchain.report.controls import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardrails.toolchain.lines import Line
    from guardrails.toolchain.report.controls import Control, ControlReport

_TONES = {
    Status.SERVED: Tone.ALLOW,
    Status.UNTESTED: Tone.ESCALATE,
    Status.WATCHED: Tone.ESCALATE,
    Status.OPEN: Tone.DENY,
}


def tell_report(report: ControlReport) -> Iterator[Line]:
    """The lines that tell `report`."""
    for section in report.sections:
        yield line((section.title, Tone.STRONG))
        for control in section.controls:
            yield from _tell_control(control)
        yield line()
    yield from _tell_names("tests that fail", report.failed)
    yield from _tell_names("rules without a test", [rule.name for rule in report.untested])
    yield from _tell_names("rules without a control", [rule.name for rule in report.unassigned])
    yield from _tell_names("packs that are not in force", report.absent)
    counts = ", ".join(
        f"{sum(section.count(status) for section in report.sections)} {status}" for status in Status
    )
    yield line(f"controls: {counts}")


def _tell_control(control: Control) -> Iterator[Line]:
    yield line(
        "  ",
        (f"{control.status!s:<8}", _TONES[control.status]),
        f"  {control.name}",
        (f"  {control.title}", Tone.FAINT),
    )
    for each in control.rules:
        tests = f"{len(each.tests)} test{'' if len(each.tests) == 1 else 's'}"
        state = tests if each.in_force else f"{tests}, not in force"
        yield line(f"            {each.rule.name}", (f"  {state}", Tone.FAINT))


def _tell_names(what: str, names: Sequence[str]) -> Iterator[Line]:
    if names:
        yield line((f"{what}:", Tone.STRONG))
        yield from (line(f"  {name}") for name in names)
        yield line()
