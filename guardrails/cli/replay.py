"""`guardrails replay`: a recorded trace, judged call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from guardrails.cli.options import format_option, now_option, policies_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.toolchain.replay import Replayed


@click.command()
@policies_option
@click.option("--as-approved", is_flag=True, help="Let escalated calls pass, as if approved.")
@now_option
@format_option(default=None)
@click.argument("trace", type=click.File("rb"), default="-")
@click.pass_context
def replay(
    ctx: click.Context,
    trace: BinaryIO,
    folder: str,
    now: int | None,
    form: str | None,
    *,
    as_approved: bool,
) -> None:
    """Judge a recorded TRACE of JSON lines; print one decision a line, as `check --batch` does.

    A line is what the person said, or a call with the output that was recorded. Sessions are
    followed in order; an output enters its session only if the call was allowed. Nothing runs.
    What the person said gets no line.

    \b
    Example:
      guardrails replay -p policies/ trace.jsonl > decisions.jsonl
      guardrails replay -p policies/ --as-approved --format text trace.jsonl

    \b
    Lines:
      {"session": "s-1", "user_said": "Pay 20 to ACME."}
      {"session": "s-1", "tool": "pay", "arguments": {"to": "ACME"}, "output": "paid"}

    Exit codes, of the strictest decision: 0 allow, 1 deny, 2 usage or load error, 3 escalate.
    """
    from guardrails.guard import load_policies
    from guardrails.toolchain.judge import exit_code, read_lines
    from guardrails.toolchain.replay import Replay

    replay = Replay(load_policies(folder), as_approved=as_approved, now_ns=now)
    strictest = None
    for number, text in enumerate(read_lines(trace), 1):
        found = replay.judge_line(text)
        if found is not None:
            effect = found.decision.effect
            strictest = max(strictest or effect, effect)
            _print(number, found, form)
    if strictest is None:
        raise click.UsageError("there is no call to judge: the trace holds none")
    ctx.exit(exit_code(strictest))


def _print(number: int, found: Replayed, form: str | None) -> None:
    from guardrails.toolchain.decision_text import tell_briefly

    action, decision, _ = found
    if form == "text":
        print_lines([tell_briefly(number, None if action is None else action.tool, decision)])
    else:
        print_json(decision.as_json())
