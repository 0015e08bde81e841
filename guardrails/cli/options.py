"""Options that several verbs have, the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def format_option(default: str | None = "text") -> Callable[[Any], Any]:
    """The option `--format`, as every verb that prints results has it."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default=default,
        show_default=default is not None,
        help="How results are printed." + ("" if default else " [default: text; json if --batch]"),
    )


def policies_option(command: Any) -> Any:
    """The option `-p`: the folder of policies that a verb works with."""
    return click.option(
        "-p",
        "--policies",
        "folder",
        metavar="DIR",
        default="policies/",
        envvar="GUARDRAILS_POLICIES",
        show_default=True,
        show_envvar=True,
        help="The folder of policies.",
    )(command)


def now_option(command: Any) -> Any:
    """The option `--now`: the time to judge at, in nanoseconds since 1970, or None."""
    told = "Judge as if it were TIME, say 2027-01-08T09:30:00Z. [default: this moment]"
    return time_option("--now", told)(command)


def time_option(name: str, told: str) -> Callable[[Any], Any]:
    """An option that takes a TIME, in nanoseconds since 1970, or None."""
    return click.option(name, metavar="TIME", callback=_read_time, help=told)


def _read_time(ctx: click.Context, option: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    from guardrails.errors import EvaluationError
    from guardrails.instants import parse_timestamp

    try:
        return parse_timestamp(text).ns
    except EvaluationError as error:
        raise click.BadParameter(str(error), ctx, option) from None
