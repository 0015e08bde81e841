"""`guardrails test`: policies held against the tests beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.toolchain.suites.report import Report
    from guardrails.toolchain.suites.tester import Asked

FORMATS = ("text", "json", "junit", "lcov")


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default="policies/", envvar="GUARDRAILS_POLICIES", type=click.Path()
)
@click.option(
    "--filter",
    "names",
    metavar="TEXT",
    multiple=True,
    help="Run the cases that have TEXT in `suite: name` or `package.test_name`. May be repeated.",
)
@click.option("--coverage", is_flag=True, help="Tell what no test reached.")
@click.option(
    "--threshold",
    metavar="PERCENT",
    type=click.FloatRange(0, 100),
    help="Fail where less is reached; goes with --coverage, which it implies.",
)
@click.option(
    "--mutate", is_flag=True, help="Try the tests on changed policies; tell what none notices."
)
@click.option(
    "--mutate-seconds",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="How long mutants are tried; more of them are left untried. [default: 600]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How results are printed; `lcov` prints the coverage alone.",
)
@click.pass_context
def test(
    ctx: click.Context,
    folder: str,
    names: tuple[str, ...],
    threshold: float | None,
    seconds: float | None,
    form: str,
    *,
    coverage: bool,
    mutate: bool,
) -> None:
    """Run the tests (`*_test.yaml`, `*_test.rego`) that stand beside the policies of DIR.

    A case that fails is shown with what was expected, what came, the rule that decided and the
    values under its condition. The coverage counts rules that matched and branches of conditions
    that were taken: each operand of `&&` and `||`, each arm of `? :`, each `has`, both ways; and
    lines of Rego modules. A test in Rego is a rule `test_...` that is true.
    Mutants are the YAML policies with one change each (a rule dropped, a comparison turned, a limit
    raised, a pattern widened); one that no test notices shows what no test holds.

    \b
    Example:
      guardrails test policies/
      guardrails test --coverage --threshold 90 policies/
      guardrails test --mutate --filter payments policies/
      guardrails test --format junit policies/ > tests.xml

    Exit codes: 0 all passed, 1 a case failed, a mutant survived or too little is covered, 2 usage
    or load error or no test, 4 mutants were left untried.
    """
    from guardrails.toolchain.suites.tester import MUTATION_SECONDS, Asked

    if seconds is not None and not mutate:
        raise click.UsageError("--mutate-seconds goes with --mutate", ctx)
    asked = Asked(
        names,
        coverage or form == "lcov",
        threshold,
        mutate,
        MUTATION_SECONDS if seconds is None else seconds,
    )
    report = _run(folder, asked)
    _print(report, form)
    if mutate and report.mutation is None:
        click.echo("no mutant was tried: a case fails on the policies as they are", err=True)
    ctx.exit(report.exit_code)


def _run(folder: str, asked: Asked) -> Report:
    from time import time_ns

    from guardrails.cli.progress import progress
    from guardrails.language.folder import read_folder
    from guardrails.toolchain.suites.tester import run_tests

    return run_tests(read_folder(Path(folder)), folder, asked, time_ns(), progress)


def _print(report: Report, form: str) -> None:
    if form == "json":
        print_json(report.as_json(), indent=2)
    elif form == "junit":
        from guardrails.toolchain.suites.junit import write_junit

        click.echo(write_junit(report), nl=False)
    elif form == "lcov":
        from guardrails.toolchain.lines import plain
        from guardrails.toolchain.suites.lcov import write_lcov
        from guardrails.toolchain.suites.report_text import tell_report

        assert report.coverage is not None
        click.echo(write_lcov(report.coverage), nl=False)
        if report.exit_code:
            click.echo(plain(tell_report(report)), nl=False, err=True)
    else:
        from guardrails.toolchain.suites.report_text import tell_report

        print_lines(tell_report(report))
