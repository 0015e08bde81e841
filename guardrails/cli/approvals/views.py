"""The verbs that show requests: `list`, `show`, `watch`, `stats`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

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


@click.command("list")
@filter_options
@format_option()
@signed_in
def show_all(desk: Desk, form: str, *, mine: bool, **wanted: Any) -> None:
    """List requests, newest first; those that wait for your vote are marked with *.

    Channels that could not be told of something in the last seven days are named beside them.

    \b
    Example:
      guardrails approvals list --as fay@example.com
      guardrails approvals list --as fay@example.com --all --agent agent-7

    Exit codes: 0 listed (there may be none), 2 usage error, or not signed in.
    """
    from guardrails.approvals.untold import RECENT_NS
    from guardrails.toolchain.approvals.request_json import request_json
    from guardrails.toolchain.approvals.request_text import tell_row
    from guardrails.toolchain.approvals.statistics_text import tell_untold
    from guardrails.toolchain.lines import plain

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
    untold = store.outbox.untold(now - RECENT_NS)
    click.echo(plain(tell_untold(untold)), nl=False, err=True)


@click.command()
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
    print_request(desk, request, form)
    if form == "text" and desk.service.waits_for(request, desk.account.id):
        click.echo("\nit waits for your vote: approve it, or deny it", err=True)


@click.command()
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


@click.command()
@time_option("--since", "Only requests that were opened at TIME or later.")
@format_option()
@signed_in
def stats(desk: Desk, since: int | None, form: str) -> None:
    """Tell how people decide, by approver and by rule: where weariness shows.

    Waiting is from the request to the vote, deciding from its first being shown to the voter, both
    as medians. Votes are quick within 5 s of that, overruled when it came out otherwise. Agents
    that have flooded people with requests, and for which nobody is asked any more, are listed, and
    channels that could not be told of something.

    \b
    Example:
      guardrails approvals stats --as fay@example.com --since 2027-01-01T00:00:00Z
    """
    from guardrails.approvals.statistics import collect, measure
    from guardrails.toolchain.approvals.statistics_text import (
        tell_statistics,
        tell_suspensions,
        tell_untold,
    )

    statistics = measure(collect(desk.service.store, since))
    suspended = desk.service.store.suspensions()
    untold = desk.service.store.outbox.untold(since or 0)
    if form == "json":
        beside = {
            "suspended": [each._asdict() for each in suspended],
            "untold": [each._asdict() for each in untold],
        }
        print_json({**statistics.as_json(), **beside}, indent=2)
    else:
        agents, channels = tell_suspensions(suspended), tell_untold(untold)
        print_lines([*tell_statistics(statistics), *agents, *channels])


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


def print_request(desk: Desk, request: ApprovalRequest, form: str) -> None:
    """Print a request with all that a decision needs, for people or as JSON."""
    from guardrails.toolchain.approvals.request_json import request_json
    from guardrails.toolchain.approvals.request_text import tell_request

    if form == "json":
        print_json(request_json(request), indent=2)
        return
    now = desk.service.store.now_ns()
    print_lines(tell_request(request, desk.service.standing(request), now))


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
