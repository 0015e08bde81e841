"""`guardrails report`: which control which rule and test serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli.options import now_option, policies_option

if TYPE_CHECKING:
    from guardrails.toolchain.report.controls import ControlReport


@click.command()
@policies_option
@click.option("--controls", is_flag=True, help="Which control is served by which rule and test.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="How the report is printed; `html` is one page that needs nothing else.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file instead.",
)
@now_option
@click.pass_context
def report(
    ctx: click.Context,
    folder: str,
    form: str,
    output: Path | None,
    now: int | None,
    *,
    controls: bool,
) -> None:
    """Report to auditors what the policies serve, and where the holes are.

    The tests of the policies are run: a control counts as served if a rule in force names it under
    `controls` and a test that passes reaches that rule. Of a framework of which some control is
    named, those that no rule serves are listed too; so are rules without a test or a control, and
    packs that are not in force.

    \b
    Example:
      guardrails report --controls -p policies/
      guardrails report --controls --format html -o controls.html

    Exit codes: 0 all that is named is served, 1 a test fails or a control that a rule names is
    not served, 2 usage or load error.
    """
    from time import time_ns

    from guardrails.language.folder import read_folder
    from guardrails.toolchain.report.controls import report_controls
    from guardrails.toolchain.suites.rego import engine_for, run_tests_in_rego
    from guardrails.toolchain.suites.tester import read_tested

    if not controls:
        raise click.UsageError("name the report: --controls")
    files = read_folder(Path(folder))
    bundle, suites, tests = read_tested(files, folder)
    with engine_for(bundle, tests, files) as engine:
        in_rego = () if engine is None else run_tests_in_rego(engine, tests)
    found = report_controls(bundle, suites, time_ns() if now is None else now, in_rego)
    _write(found, form, output)
    ctx.exit(found.exit_code)


def _write(found: ControlReport, form: str, output: Path | None) -> None:
    if output is None and form == "text":
        from guardrails.cli.output import print_lines
        from guardrails.toolchain.report.text import tell_report

        print_lines(tell_report(found))
        return
    text = _text(found, form)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _text(found: ControlReport, form: str) -> str:
    if form == "html":
        from guardrails.toolchain.report.page import write_page

        return write_page(found)
    if form == "json":
        import json

        return json.dumps(found.as_json(), indent=2) + "\n"
    from guardrails.toolchain.lines import plain
    from guardrails.toolchain.report.text import tell_report

    return plain(tell_report(found))
