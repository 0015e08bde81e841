"""The verbs that set the store right: `lift`, `reset-clock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guardrails.cli.frame import Failure
from guardrails.cli.sign_in import signed_in

if TYPE_CHECKING:
    from guardrails.cli.sign_in import Desk


@click.command()
@click.argument("agent")
@signed_in
def lift(desk: Desk, agent: str) -> None:
    """Let people be asked for AGENT again, which had been suspended for asking far too often.

    \b
    Example:
      guardrails approvals lift agent-7 --as fay@example.com

    Exit codes: 0 lifted, 2 it was not suspended, or not signed in.
    """
    store = desk.service.store
    if agent not in {each.agent for each in store.suspensions()}:
        raise Failure(f"`{agent}` is not suspended")
    store.lift(agent)
    click.echo(f"people are asked for `{agent}` again", err=True)


@click.command("reset-clock")
@signed_in
def reset_clock(desk: Desk) -> None:
    """Believe the clock again after it was ahead by mistake, at the price of what is open.

    Time never goes back in a store, so that no approval outlives its end. While the clock is far
    behind what the store has seen, nothing is asked or decided; this ends every open request.

    \b
    Example:
      guardrails approvals reset-clock --as fay@example.com
    """
    from guardrails.approvals.sql_store import SqlStore

    store = desk.service.store
    assert isinstance(store, SqlStore)
    ended = store.reset_clock()
    click.echo(f"the store believes the clock again; ended: {', '.join(ended) or 'none'}", err=True)
