"""The verbs that decide on requests: `approve`, `deny`, `cancel`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from guardrails.cli.approvals.views import print_request
from guardrails.cli.frame import Failure
from guardrails.cli.options import format_option
from guardrails.cli.output import print_json
from guardrails.cli.sign_in import signed_in

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.cli.sign_in import Desk


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--comment", default="", help="Why; others are shown it.")
@click.option("--yes", is_flag=True, help="Don't ask again.")
@format_option()
@signed_in
def approve(desk: Desk, id_: str, comment: str, form: str, *, yes: bool) -> None:
    """Approve a request; on a terminal it is shown first, and you are asked.

    \b
    Example:
      guardrails approvals approve 4c1f0e7a9b2d3e5f6a7b --as fay@example.com --comment "invoice 7"

    Exit codes: 0 your vote counts, 1 you were asked and said no, 2 it does not count.
    """
    _vote(desk, id_, "approve", comment, form, yes=yes)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--comment", default="", help="Why; others are shown it.")
@click.option("--yes", is_flag=True, help="Don't ask again.")
@format_option()
@signed_in
def deny(desk: Desk, id_: str, comment: str, form: str, *, yes: bool) -> None:
    """Deny a request; on a terminal it is shown first, and you are asked.

    \b
    Example:
      guardrails approvals deny 4c1f0e7a9b2d3e5f6a7b --as fay@example.com --comment "not ours"

    Exit codes: 0 your vote counts, 1 you were asked and said no, 2 it does not count.
    """
    _vote(desk, id_, "deny", comment, form, yes=yes)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--comment", default="", help="Why.")
@format_option()
@signed_in
def cancel(desk: Desk, id_: str, comment: str, form: str) -> None:
    """Call a request off: nothing comes of it, and it is nobody's denial.

    \b
    Example:
      guardrails approvals cancel 4c1f0e7a9b2d3e5f6a7b --as fay@example.com

    Exit codes: 0 called off, 2 it was over already, or not signed in.
    """
    before = desk.service.store.get(id_)
    if not before.status.is_open:
        raise Failure(f"the request is {before.status}, so there is nothing to call off")
    ended = desk.service.cancel(id_, desk.account.id, comment)
    if ended.status != "cancelled":
        raise Failure(f"a {ended.kind} can't be called off: it is about what has run already")
    _tell_end(ended, form)


def _vote(desk: Desk, id_: str, word: str, comment: str, form: str, *, yes: bool) -> None:
    from guardrails.approvals.service import check_voter
    from guardrails.approvals.vote import VoteOutcome

    store = desk.service.store
    request = store.get(id_)
    store.see(request.id, desk.account.id)
    check_voter(request, desk.account, desk.people, store.now_ns())
    if not yes and sys.stdin is not None and sys.stdin.isatty():
        print_request(desk, request, "text")
        if not click.confirm(f"\n{word} this as {desk.account.id}?", err=True):
            click.get_current_context().exit(1)
    outcome = VoteOutcome(word)
    voted = desk.service.vote(id_, desk.account.id, outcome, comment, request.content)
    _tell_end(voted, form)


def _tell_end(request: ApprovalRequest, form: str) -> None:
    from guardrails.toolchain.approvals.request_json import request_json

    if form == "json":
        print_json(request_json(request), indent=2)
    else:
        click.echo(f"{request.id} is {request.status}")
