"""`guardrails check`: an action given as JSON, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from guardrails.cli.options import format_option, now_option, policies_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.engine import PolicySet


@click.command()
@policies_option
@click.option("--batch", is_flag=True, help="Read JSON lines; print one decision a line.")
@now_option
@format_option(default=None)
@click.argument("file", type=click.File("rb"), default="-")
@click.pass_context
def check(
    ctx: click.Context,
    file: BinaryIO,
    folder: str,
    now: int | None,
    form: str | None,
    *,
    batch: bool,
) -> None:
    """Judge one action, given as JSON in FILE or on standard input.

    Only the key `tool` is required of an action; nothing runs, nothing is logged, no budget is
    spent. With --batch every line is answered, malformed ones too, and the exit code is that of
    the strictest decision.

    \b
    Example:
      echo '{"tool": "payments.transfer", "arguments": {"to": "ACME", "amount": 900}}' |
        guardrails check -p policies/
      guardrails check --now 2027-01-08T03:30:00+01:00 action.json
      guardrails check --batch actions.jsonl > decisions.jsonl

    Exit codes: 0 allow, 1 deny, 2 usage or load error, 3 escalate.
    """
    from guardrails.guard import load_policies

    policies = load_policies(folder)
    ctx.exit(_check_all(policies, file, now, form) if batch else _check(policies, file, now, form))


def _check(policies: PolicySet, file: BinaryIO, now: int | None, form: str | None) -> int:
    from guardrails.action_json import MAX_BYTES
    from guardrails.toolchain.decision_text import tell_decision
    from guardrails.toolchain.judge import exit_code, judge_text

    action, decision = judge_text(policies, file.read(MAX_BYTES + 1), now)
    if form == "json":
        print_json(decision.as_json())
    else:
        tool = None if action is None else action.tool
        print_lines(tell_decision(tool, decision, policies.bundle))
    return exit_code(decision.effect)


def _check_all(policies: PolicySet, file: BinaryIO, now: int | None, form: str | None) -> int:
    from guardrails.toolchain.decision_text import tell_briefly
    from guardrails.toolchain.judge import exit_code, judge_text, read_lines

    strictest = None
    for number, text in enumerate(read_lines(file), 1):
        action, decision = judge_text(policies, text, now)
        strictest = max(strictest or decision.effect, decision.effect)
        if form == "text":
            tool = None if action is None else action.tool
            print_lines([tell_briefly(number, tool, decision)])
        else:
            print_json(decision.as_json())
    if strictest is None:
        raise click.UsageError("there is no action to judge: the input is empty")
    return exit_code(strictest)
