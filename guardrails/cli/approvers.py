"""`guardrails approvers`: the accounts of the people who may decide."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from guardrails.cli.frame import Failure
from guardrails.cli.options import format_option
from guardrails.cli.output import print_json, print_lines
from guardrails.cli.sign_in import store_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.people import Account, People


@click.group()
def approvers() -> None:
    """Say who may approve, in which groups, and how they sign in.

    The accounts are one file beside the store; whoever can write it can make approvers, so keep
    it from the account that agents run under.

    \b
    Example:
      guardrails approvers add fay@example.com --group finance
    """


@approvers.command()
@click.argument("id_", metavar="ID")
@click.option("--name", metavar="TEXT", help="The person's name, as others are shown it.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="A group to vote in.")
@click.option(
    "--alias",
    "aliases",
    metavar="NAME",
    multiple=True,
    help="Another name of the same person, say in `on_behalf_of`.",
)
@click.option("--no-password", is_flag=True, help="Sign in by token or identity provider alone.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@store_option
def add(
    id_: str,
    name: str | None,
    groups: tuple[str, ...],
    aliases: tuple[str, ...],
    where: str,
    *,
    no_password: bool,
    password_stdin: bool,
) -> None:
    """Add the account ID, or give one that is there another password, name, groups or aliases.

    The password is asked for twice and kept as an Argon2id hash; what else is not given stays as
    it is.

    \b
    Example:
      guardrails approvers add fay@example.com --name "Fay Lee" --group finance --alias fay
      pass show guardrails/fay | guardrails approvers add fay@example.com --password-stdin
    """
    from guardrails.approvals.accounts import with_account
    from guardrails.approvals.people import Account

    if no_password and password_stdin:
        raise click.UsageError("--no-password and --password-stdin exclude each other")
    hashed = "" if no_password else _ask_password(id_, stdin=password_stdin)

    def put(people: People) -> People:
        known = people.accounts.get(id_) or Account(id_)
        changed = replace(
            known,
            name=known.name if name is None else name,
            groups=groups or known.groups,
            aliases=aliases or known.aliases,
            password=hashed,
        )
        return with_account(people, changed)

    click.echo(f"{_change(where, put)}: {id_} is an approver", err=True)


@approvers.command("list")
@store_option
@format_option()
def show_all(where: str, form: str) -> None:
    """List the accounts: who they are, their groups, and how they can sign in.

    \b
    Example:
      guardrails approvers list
    """
    from guardrails.approvals.accounts import read_people
    from guardrails.approvals.places import locate
    from guardrails.toolchain.approvals.people_text import account_json, tell_account

    path = locate(where).people
    accounts = read_people(path).accounts.values()
    if form == "json":
        print_json([account_json(account) for account in accounts], indent=2)
    else:
        print_lines(map(tell_account, accounts))
    if not accounts:
        click.echo(f"{path}: nobody is an approver", err=True)


@approvers.command()
@click.argument("name")
@store_option
def remove(name: str, where: str) -> None:
    """Remove the account called NAME; what it has approved and nobody has used yet is void.

    To keep its past votes readable as one person's, disable it instead.

    \b
    Example:
      guardrails approvers remove fay@example.com
    """
    from guardrails.approvals.accounts import without_account

    path = _change(where, lambda people: without_account(people, _find(people, name).id))
    click.echo(f"{path}: {name} is no approver any more", err=True)


@approvers.command()
@click.argument("name")
@store_option
def disable(name: str, where: str) -> None:
    """Let the account called NAME neither sign in nor count, until it is enabled.

    \b
    Example:
      guardrails approvers disable fay@example.com
    """
    path = _disable(where, name, disabled=True)
    click.echo(f"{path}: {name} can't sign in, and does not count", err=True)


@approvers.command()
@click.argument("name")
@store_option
def enable(name: str, where: str) -> None:
    """Let the account called NAME sign in and count again.

    \b
    Example:
      guardrails approvers enable fay@example.com
    """
    path = _disable(where, name, disabled=False)
    click.echo(f"{path}: {name} can sign in", err=True)


@approvers.command()
@click.argument("name")
@click.option("--label", default="cli", show_default=True, help="What the token is for.")
@click.option(
    "--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="When it ends."
)
@click.option("--revoke", is_flag=True, help="Take the token of that label away instead.")
@store_option
def token(name: str, label: str, days: int, where: str, *, revoke: bool) -> None:
    """Print a token for the account called NAME, once: it goes in GUARDRAILS_TOKEN.

    It replaces the account's token of the same label. Only its hash is kept.

    \b
    Example:
      guardrails approvers token fay@example.com --label laptop --days 30
      guardrails approvers token fay@example.com --label laptop --revoke
    """
    from time import time_ns

    from guardrails.approvals.accounts import make_token
    from guardrails.values import NANOSECONDS

    text, made = make_token(label, time_ns() + days * 86_400 * NANOSECONDS)

    def put(people: People) -> People:
        account = _find(people, name)
        others = tuple(each for each in account.tokens if each.name != label)
        if revoke and len(others) == len(account.tokens):
            raise Failure(f"{name} has no token `{label}`")
        return _with(people, replace(account, tokens=others if revoke else (*others, made)))

    path = _change(where, put)
    if revoke:
        click.echo(f"{path}: the token `{label}` of {name} is void", err=True)
    else:
        click.echo(text)


@approvers.command()
@store_option
def export(where: str) -> None:
    """Print the accounts without what they sign in with: all that a guard needs.

    For guards that run under another account than the service; make it `approvers.yaml` where they
    look, not writable for them.

    \b
    Example:
      guardrails approvers export --store /srv/approvals > agent/.guardrails/approvers.yaml
    """
    from guardrails.approvals.accounts import read_people, without_secrets, write_accounts
    from guardrails.approvals.places import locate

    people = read_people(locate(where).people)
    click.echo(write_accounts(without_secrets(people)), nl=False)


def _change(where: str, change: Callable[[People], People]) -> str:
    from guardrails.approvals.accounts import change_people
    from guardrails.approvals.places import locate

    path = locate(where).people
    change_people(change, path)
    return path


def _disable(where: str, name: str, *, disabled: bool) -> str:
    def put(people: People) -> People:
        return _with(people, replace(_find(people, name), disabled=disabled))

    return _change(where, put)


def _find(people: People, name: str) -> Account:
    account = people.find(name)
    if account is None:
        raise Failure(f"there is no approver `{name}`; there are {', '.join(people.accounts)}")
    return account


def _with(people: People, account: Account) -> People:
    from guardrails.approvals.accounts import with_account

    return with_account(people, account)


def _ask_password(id_: str, *, stdin: bool) -> str:
    from guardrails.approvals.accounts import hash_password

    if stdin:
        return hash_password(sys.stdin.read().removesuffix("\n"))
    asked: str = click.prompt(
        f"password for {id_}", hide_input=True, confirmation_prompt="once more", err=True
    )
    return hash_password(asked)
