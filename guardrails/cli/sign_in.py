"""Who runs a verb of approvals, and over which store: the options that these verbs share."""

from __future__ import annotations

import os
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from guardrails.cli.frame import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.people import Account, People
    from guardrails.approvals.places import ApprovalFiles
    from guardrails.approvals.service import ApprovalService

TOKEN = "GUARDRAILS_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable that holds the token of whoever can't type a password."""


class Desk(NamedTuple):
    """The service that a verb works with, and the account that has signed in."""

    service: ApprovalService
    account: Account
    people: People


def store_option(command: Any) -> Any:
    """The option `--store`: the folder or URL under which approvals are kept."""
    return click.option(
        "--store",
        "where",
        metavar="WHERE",
        default=".guardrails",
        envvar="GUARDRAILS_STATE",
        show_default=True,
        show_envvar=True,
        help="Where approvals are kept: a folder, or the URL of a database.",
    )(command)


def signed_in(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb with `--store` and `--as`; it is handed the `Desk` of whoever signs in so.

    Nobody is let in for the operating system's user that runs the command.
    """

    @wraps(verb)
    def enter(*arguments: Any, where: str, login: str | None, **options: Any) -> Any:
        desk = _open_desk(where, login)
        try:
            return verb(*arguments, desk=desk, **options)
        finally:
            desk.service.store.close()

    who = click.option(
        "--as",
        "login",
        metavar="NAME",
        help=f"Who you are; your password is asked for unless {TOKEN} holds a token of yours.",
    )
    named: Callable[..., Any] = store_option(who(enter))
    return named


def _open_desk(where: str, login: str | None) -> Desk:
    from guardrails.approvals.accounts import read_people
    from guardrails.approvals.places import locate, open_service

    files = locate(where)
    people = read_people(files.people)
    if not people.accounts:
        raise Failure(f"{files.people}: nobody is an approver; `guardrails approvers add` adds one")
    account = _sign_in(files, people, login)
    _check_store(files)
    return Desk(open_service(where), account, people)


def _sign_in(files: ApprovalFiles, people: People, login: str | None) -> Account:
    from time import time_ns

    from guardrails.approvals.sign_in import Attempts, sign_in, sign_in_by_token

    token = os.environ.get(TOKEN)
    if token:
        return sign_in_by_token(people, token.strip(), login, time_ns())
    if login is None:
        msg = f"say who you are: --as NAME asks for the password; a token goes in {TOKEN}"
        raise click.UsageError(msg)
    if sys.stdin is None or not sys.stdin.isatty():
        raise Failure(f"there is no terminal to type the password at; a token goes in {TOKEN}")
    password = click.prompt(f"password of {login}", hide_input=True, err=True)
    return sign_in(people, login, password, Attempts(files.attempts))


def _check_store(files: ApprovalFiles) -> None:
    """Refuse a path where no guard has made a store: it would be an empty one, and look calm."""
    if "://" not in files.store and not os.path.exists(files.store):  # noqa: PTH110 - a text
        msg = f"{files.store}: there is no store of approvals; --store says where it is"
        raise Failure(msg)
