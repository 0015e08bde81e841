"""`guardrails lint`: faults that load cleanly but are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli.options import now_option
from guardrails.cli.output import print_json, print_lines
from guardrails.cli.progress import progress
from guardrails.display import escape

if TYPE_CHECKING:
    from guardrails.toolchain.lint.report import Report

FORMATS = ("text", "json", "sarif", "junit", "github")


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default="policies/", envvar="GUARDRAILS_POLICIES", type=click.Path()
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option("--fix", is_flag=True, help="Mend what can be mended with certainty, in the files.")
@click.option("--diff", is_flag=True, help="Print what --fix would change; change nothing.")
@click.option(
    "--tools",
    "modules",
    metavar="MODULE",
    multiple=True,
    help="Check against the decorated functions of MODULE, which is imported. May be repeated.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="The settings. [default: the nearest guardrails.toml, or pyproject.toml with "
    "[tool.guardrails], in DIR or above]",
)
@click.option("--explain", "rule", metavar="RULE", help="Print the page about a rule, and stop.")
@now_option
@click.pass_context
def lint(
    ctx: click.Context,
    folder: str,
    form: str,
    modules: tuple[str, ...],
    config: str | None,
    rule: str | None,
    now: int | None,
    *,
    fix: bool,
    diff: bool,
) -> None:
    """Find faults in the policies of DIR that load cleanly but are wrong.

    Every finding tells its place, what is wrong, why that is bad and how to mend it. A comment
    `# lint: allow[RULE] the reason, until 2027-01-08` on its line, or the one above, excepts it;
    levels of rules are set in guardrails.toml.

    \b
    Example:
      guardrails lint policies/
      guardrails lint --tools shop.agent policies/
      guardrails lint --format sarif policies/ > lint.sarif
      guardrails lint --explain unanchored-pattern

    Exit codes: 0 clean or notes only, 1 warnings or errors, 2 usage or load error.
    """
    if rule is not None:
        _explain(rule)
        return
    if fix and diff:
        raise click.UsageError("--fix changes the files and --diff only shows how; give one", ctx)
    ctx.exit(_lint(folder, form, modules, config, now, fix=fix, diff=diff))


def _lint(
    folder: str,
    form: str,
    modules: tuple[str, ...],
    config: str | None,
    now: int | None,
    *,
    fix: bool,
    diff: bool,
) -> int:
    from guardrails.language.folder import read_folder
    from guardrails.toolchain.lint.fixes import fix_all, write
    from guardrails.toolchain.lint.linter import make_linter

    root = Path(folder)
    with progress("linting") as show:
        linter = make_linter(root, config=config, modules=modules, now_ns=now, progress=show)
        files = read_folder(root)
        report = linter.lint(files)
        fixed = fix_all(files, linter, report) if fix or diff else None
    if fixed is not None and diff:
        for change in fixed.changes:
            click.echo("\n".join(map(escape, change.diff())))
        return report.exit_code
    if fixed is not None:
        write(fixed.changes)
        report = fixed.report
        click.echo(f"{fixed.mended} mended", err=True)
    _print(report, form)
    return report.exit_code


def _print(report: Report, form: str) -> None:
    if form == "json":
        from guardrails.toolchain.lint.formats.json import report_json

        print_json(report_json(report), indent=2)
    elif form == "sarif":
        from guardrails.toolchain.lint.formats.sarif import report_sarif

        print_json(report_sarif(report), indent=2)
    elif form == "junit":
        from guardrails.toolchain.lint.formats.junit import report_junit

        click.echo(report_junit(report))
    elif form == "github":
        from guardrails.toolchain.lint.formats.github import report_github

        for text in report_github(report):
            click.echo(text)
    else:
        from guardrails.toolchain.lint.formats.text import tell_report

        print_lines(tell_report(report))


def _explain(id_: str) -> None:
    from guardrails.language.cel.errors import did_you_mean
    from guardrails.toolchain.lint.pages import plain_text
    from guardrails.toolchain.lint.registry import all_rules

    rules = all_rules()
    if id_ not in rules:
        hint = did_you_mean(id_, rules) or f"; there are {', '.join(rules)}"
        raise click.UsageError(f"unknown rule `{id_}`{hint}")
    click.echo(plain_text(rules[id_]), nl=False)
