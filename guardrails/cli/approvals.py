"""`guardrails approvals`: what waits for people, shown and decided in a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from guardrails.cli.frame import Failure
from guardrails.cli.options import format_option, time_option
from guardrails.cli.output import print_json, print_lines
from guardrails.cli.sign_in import signed_in

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Filter
    from guardrails.cli.sign_in import Desk
    from guardrails.toolchain.approvals.following import Sight

STATUSES = ("pending", "approved", "denied", "expired", "cancelled", "used")
KINDS = ("approval", "review", "sample")


@click.group()
def approvals() -> None:
    """Decide on what agents ask, and see what was decided.

    Every verb signs you in as an approver: with --as NAME and your password, or with a token of
    yours in GUARDRAILS_TOKEN. `guardrails approvers` makes both.

    \b
    Example:
      guardrails approvals list --as fay@example.com
    """


def filter_options(command: Any) -> Any:
    """The options that choose requests."""
    for option in (
        click.option("--status", type=click.Choice(STATUSES), multiple=True, help="Only these."),
        click.option("--all", "whole", is_flag=True, help="Also what is over.  [default: pending]"),
        click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only these."),
        click.option("--mine", is_flag=True, help="Only what waits for your vote."),
        click.option("--agent", metavar="TEXT", help="Only requests of this agent."),
        click.option("--session", metavar="TEXT", help="Only requests of this session."),
        click.option("--tool", metavar="TEXT", help="Only requests for this tool."),
        click.option("--rule", metavar="TEXT", help="Only requests under this rule."),
        click.option("--voter", metavar="TEXT", help="Only what this account has voted on."),
        time_option("--since", "Only what was opened at TIME or later."),
        time_option("--until", "Only what was opened before TIME."),
        click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True),
    ):
        command = option(command)
    return command


@approvals.command("list")
@filter_options
@format_option()
@signed_in
def show_all(desk: Desk, form: str, *, mine: bool, **wanted: Any) -> None:
    """List requests, newest first; those that wait for your vote are marked with *.

    \b
    Example:
      guardrails approvals list --as fay@example.com
      guardrails approvals list --as fay@example.com --all --agent agent-7

    Exit codes: 0 listed (there may be none), 2 usage error, or not signed in.
    """
    from guardrails.toolchain.approvals.request_json import request_json
    from guardrails.toolchain.approvals.request_text import tell_row

    store = desk.service.store
    page = store.list(_read_filter(**wanted))
    waits = {each.id for each in page.requests if desk.service.waits_for(each, desk.account.id)}
    shown = [each for each in page.requests if each.id in waits or not mine]
    now = store.now_ns()
    if form == "json":
        print_json([{**request_json(each), "mine": each.id in waits} for each in shown], indent=2)
    else:
        print_lines(tell_row(each, now, mine=each.id in waits) for each in shown)
    for each in page.damaged:
        click.echo(f"{each}: damaged in the store, so nothing can come of it", err=True)
    if page.more:
        click.echo(f"there are more; --limit {2 * wanted['limit']} shows them", err=True)
    if not shown:
        click.echo("no request is so", err=True)


@approvals.command()
@click.argument("id_", metavar="ID")
@format_option()
@signed_in
def show(desk: Desk, id_: str, form: str) -> None:
    """Show a request with all that a decision needs.

    Arguments and the agent's other texts are shown in quotes, as what they are: data.

    \b
    Example:
      guardrails approvals show 4c1f0e7a9b2d3e5f6a7b --as fay@example.com

    Exit codes: 0 shown, 2 no such request, or not signed in.
    """
    request = desk.service.store.get(id_)
    desk.service.store.see(request.id, desk.account.id)
    _print(desk, request, form)
    if form == "text" and desk.service.waits_for(request, desk.account.id):
        click.echo("\nit waits for your vote: approve it, or deny it", err=True)


@approvals.command()
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


@approvals.command()
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


@approvals.command()
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


@approvals.command()
@click.option("--mine", is_flag=True, help="Only what waits for your vote.")
@format_option()
@signed_in
def watch(desk: Desk, form: str, *, mine: bool) -> None:
    """Tell of requests as they come and are decided, until Ctrl-C.

    With --format json each change is one line.

    \b
    Example:
      guardrails approvals watch --as fay@example.com --mine

    Exit codes: 0 ended by Ctrl-C, 2 usage error, or not signed in.
    """
    from threading import Event

    from guardrails.toolchain.approvals.following import follow

    click.echo("watching; Ctrl-C ends it", err=True)
    away = False
    try:
        for sight in follow(desk.service.store, Event()):
            if sight is None:
                if not away:
                    click.echo("the store can't be reached; the watch goes on", err=True)
                away = True
                continue
            away = False
            waits = desk.service.waits_for(sight.request, desk.account.id)
            if waits or not mine:
                _tell_sight(desk, sight, form, waits=waits)
    except KeyboardInterrupt:
        return


@approvals.command()
@time_option("--since", "Only requests that were opened at TIME or later.")
@format_option()
@signed_in
def stats(desk: Desk, since: int | None, form: str) -> None:
    """Tell how people decide, by approver and by rule: where weariness shows.

    Waiting is from the request to the vote, deciding from its first being shown to the voter, both
    as medians. Votes are quick within 5 s of that, overruled when it came out otherwise. Agents
    that have flooded people with requests, and for which nobody is asked any more, are listed.

    \b
    Example:
      guardrails approvals stats --as fay@example.com --since 2027-01-01T00:00:00Z
    """
    from guardrails.approvals.statistics import collect, measure
    from guardrails.toolchain.approvals.statistics_text import tell_statistics, tell_suspensions

    statistics = measure(collect(desk.service.store, since))
    suspended = desk.service.store.suspensions()
    if form == "json":
        told = [each._asdict() for each in suspended]
        print_json({**statistics.as_json(), "suspended": told}, indent=2)
    else:
        print_lines([*tell_statistics(statistics), *tell_suspensions(suspended)])


@approvals.command()
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


@approvals.command("reset-clock")
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


def _read_filter(
    status: tuple[str, ...],
    kind: tuple[str, ...],
    since: int | None,
    until: int | None,
    *,
    whole: bool,
    **others: Any,
) -> Filter:
    from guardrails.approvals.request import Kind, Status
    from guardrails.approvals.store import Filter

    statuses = tuple(map(Status, status)) or (() if whole else (Status.PENDING,))
    return Filter(statuses, tuple(map(Kind, kind)), since_ns=since, until_ns=until, **others)


def _vote(desk: Desk, id_: str, word: str, comment: str, form: str, *, yes: bool) -> None:
    from guardrails.approvals.service import check_voter
    from guardrails.approvals.vote import VoteOutcome

    store = desk.service.store
    request = store.get(id_)
    store.see(request.id, desk.account.id)
    check_voter(request, desk.account, desk.people, store.now_ns())
    if not yes and sys.stdin is not None and sys.stdin.isatty():
        _print(desk, request, "text")
        if not click.confirm(f"\n{word} this as {desk.account.id}?", err=True):
            click.get_current_context().exit(1)
    outcome = VoteOutcome(word)
    voted = desk.service.vote(id_, desk.account.id, outcome, comment, request.content)
    _tell_end(voted, form)


def _print(desk: Desk, request: ApprovalRequest, form: str) -> None:
    from guardrails.toolchain.approvals.request_json import request_json
    from guardrails.toolchain.approvals.request_text import tell_request

    if form == "json":
        print_json(request_json(request), indent=2)
        return
    now = desk.service.store.now_ns()
    print_lines(tell_request(request, desk.service.standing(request), now))


def _tell_end(request: ApprovalRequest, form: str) -> None:
    from guardrails.toolchain.approvals.request_json import request_json

    if form == "json":
        print_json(request_json(request), indent=2)
    else:
        click.echo(f"{request.id} is {request.status}")


def _tell_sight(desk: Desk, sight: Sight, form: str, *, waits: bool) -> None:
    from guardrails.toolchain.approvals.request_json import request_json
    from guardrails.toolchain.approvals.request_text import tell_sight

    if form == "json":
        told = {"event": sight.event, "actor": sight.actor, "mine": waits}
        print_json({**told, "request": request_json(sight.request)})
    else:
        now = desk.service.store.now_ns()
        print_lines([tell_sight(sight.event, sight.actor, sight.request, now, mine=waits)])
    sys.stdout.flush()
