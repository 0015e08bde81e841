"""`guardrails explain`: a decision told rule by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guardrails.cli.options import format_option, now_option, policies_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.engine import PolicySet

UNDETERMINED = 4
"""Exit code where what is known does not decide."""


@click.command()
@policies_option
@click.option(
    "--log",
    "log",
    metavar="DIR",
    help="Explain a decision of the log in DIR; the argument is the id of its record.",
)
@now_option
@format_option()
@click.argument("action", metavar="[FILE or ID]", default="-")
@click.pass_context
def explain(
    ctx: click.Context, folder: str, log: str | None, now: int | None, form: str, action: str
) -> None:
    """Tell rule by rule why an action is allowed, escalated or denied.

    Of every rule that could concern the tool it is told what matched and what did not, the part
    of a condition that decided, and the values under it; then what an allow would need. The
    action is given as JSON, as for `guardrails check`, or taken from a decision log with the
    facts that were recorded; arguments that the log masks leave the outcome undetermined.

    \b
    Example:
      guardrails explain -p policies/ action.json
      guardrails explain --log .guardrails/log 3f9a1c5b7d2e4860-42

    Exit codes: 0 allow, 1 deny, 2 usage or load error, 3 escalate, 4 undetermined.
    """
    from guardrails.guard import load_policies

    if log is not None:
        if action == "-":
            raise click.UsageError("with --log, give the id of a decision", ctx)
        if now is not None:
            raise click.UsageError("a recorded decision has its own time; leave out --now", ctx)
        ctx.exit(_explain_recorded(load_policies(folder), log, action, form))
    with click.open_file(action, "rb") as file:
        from guardrails.action_json import MAX_BYTES

        text = file.read(MAX_BYTES + 1)
    ctx.exit(_explain(load_policies(folder), text, now, form))


def _explain(policies: PolicySet, text: bytes, now: int | None, form: str) -> int:
    from guardrails.toolchain.explain import explain_text
    from guardrails.toolchain.explanation_text import tell_explanation
    from guardrails.toolchain.judge import exit_code

    explanation = explain_text(policies, text, now)
    if form == "json":
        print_json(explanation.as_json())
    else:
        print_lines(tell_explanation(explanation))
    return exit_code(explanation.decision.effect)


def _explain_recorded(policies: PolicySet, folder: str, record: str, form: str) -> int:
    from guardrails.toolchain.explanation_text import tell_recorded
    from guardrails.toolchain.judge import exit_code
    from guardrails.toolchain.recorded import explain_recorded

    told = explain_recorded(policies, folder, record)
    if form == "json":
        print_json(told.as_json())
    else:
        print_lines(tell_recorded(told))
    determined = exit_code(told.explanation.decision.effect)
    return UNDETERMINED if told.undetermined else determined
