"""`guardrails stop` and `guardrails resume`: agents stopped from outside their reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from guardrails.cli.frame import Failure
from guardrails.cli.options import format_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.state.stops import Stop


def _state_option(command: Any) -> Any:
    return click.option(
        "--state",
        "where",
        metavar="DIR|URL",
        default=".guardrails",
        envvar="GUARDRAILS_STATE",
        show_default=True,
        show_envvar=True,
        help="Where the guards share their state.",
    )(command)


@click.command()
@click.argument("name", metavar="[SUBJECT|SESSION|all]", required=False)
@click.option("--reason", metavar="TEXT", help="Why; it is recorded with the stop.")
@_state_option
@format_option()
def stop(name: str | None, reason: str | None, where: str, form: str) -> None:
    """Stop a subject, a session, or everyone: every guarded call is refused within a second.

    SUBJECT is the id of an agent, or of a person for whom agents act; SESSION the id of a session.
    It holds on every host that shares the state, and after restarts, until `guardrails resume`.
    Without a name, shows who is stopped.

    \b
    Example:
      guardrails stop agent-7 --reason "it deletes what nobody asked it to"
      guardrails stop all --reason "incident 12"
      guardrails stop
    """
    from guardrails.state.places import open_at
    from guardrails.state.stops import read_name

    if name is not None and not (name.strip() and reason and reason.strip()):
        raise Failure("say whom to stop, and why, with --reason TEXT")
    state = open_at(where)
    if name is not None and reason is not None:
        state.stop(read_name(name), reason, _operator())
    _show(state.stops(), form)


@click.command()
@click.argument("name", metavar="SUBJECT|SESSION|all")
@_state_option
def resume(name: str, where: str) -> None:
    """Let a subject, a session, or everyone go on that `guardrails stop` or a rule stopped.

    \b
    Example:
      guardrails resume agent-7
    """
    from guardrails.display import quote
    from guardrails.state.places import open_at
    from guardrails.state.stops import read_name

    if not open_at(where).resume(read_name(name), _operator()):
        raise Failure(f"{quote(name)} is not stopped; `guardrails stop` shows who is")
    click.echo(f"{quote(name)} may go on")


def _operator() -> str:
    """Who runs the command, as the machine knows them."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _show(stops: tuple[Stop, ...], form: str) -> None:
    from guardrails.instants import print_timestamp
    from guardrails.toolchain.lines import Tone, line
    from guardrails.values import Timestamp

    if form == "json":
        found = [
            {
                "name": each.name,
                "since": print_timestamp(Timestamp(each.since_ns)),
                "by": each.by,
                "reason": each.reason,
            }
            for each in stops
        ]
        print_json({"stopped": found}, indent=2)
        return
    if not stops:
        click.echo("nobody is stopped")
        return
    print_lines(line((each.name, Tone.STRONG), f"  {_tell(each)}") for each in stops)


def _tell(stop: Stop) -> str:
    from guardrails.instants import print_timestamp
    from guardrails.values import NANOSECONDS, Timestamp

    since = print_timestamp(Timestamp(stop.since_ns - stop.since_ns % NANOSECONDS))
    return f"since {since}" + (f" by {stop.by}" if stop.by else "") + f": {stop.reason}"
