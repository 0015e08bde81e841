"""`guardrails approvals`: what waits for people, shown and decided in a terminal."""

from __future__ import annotations

import click

from guardrails.cli.approvals.upkeep import lift, reset_clock
from guardrails.cli.approvals.views import show, show_all, stats, watch
from guardrails.cli.approvals.votes import approve, cancel, deny


@click.group()
def approvals() -> None:
    """Decide on what agents ask, and see what was decided.

    Every verb signs you in as an approver: with --as NAME and your password, or with a token of
    yours in GUARDRAILS_TOKEN. `guardrails approvers` makes both.

    \b
    Example:
      guardrails approvals list --as fay@example.com
    """


for verb in (show_all, show, approve, deny, cancel, watch, stats, lift, reset_clock):
    approvals.add_command(verb)
