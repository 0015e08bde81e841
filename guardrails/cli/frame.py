"""The frame around every verb: found by name, run, and never left with a traceback.

What goes wrong is told in one message on the error stream and exits with 2, so that no failure
can be taken for a decision: 0 is kept for "allow" and "clean" alone.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any, NoReturn

import click

from guardrails.display import escape
from guardrails.errors import GuardrailsError
from guardrails.installation import CLASH

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "init": "guardrails.cli.init",
    "check": "guardrails.cli.check",
    "explain": "guardrails.cli.explain",
    "replay": "guardrails.cli.replay",
    "lint": "guardrails.cli.lint",
    "test": "guardrails.cli.test",
    "watch": "guardrails.cli.watch",
    "tools": "guardrails.cli.tools",
    "schema": "guardrails.cli.schema",
    "report": "guardrails.cli.report",
    "audit": "guardrails.cli.audit",
    "serve": "guardrails.cli.serve",
    "approvals": "guardrails.cli.approvals",
    "approvers": "guardrails.cli.approvers",
    "stop": "guardrails.cli.stop",
    "resume": "guardrails.cli.stop",
}
"""The module of each verb; it holds the command under the verb's name."""

FAILED = 2
"""Exit code of a usage or load error."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the signal's number, as shells count."""


class Failure(click.ClickException):
    """A verb that can't do what it was asked: the message alone is printed, and it exits with 2."""

    exit_code = FAILED

    def show(self, file: Any = None) -> None:
        """Print the message on the error stream (or `file`), escaped line by line."""
        for line in self.message.splitlines():
            click.echo(escape(line), file=file, err=file is None)


class Verbs(click.Group):
    """The group of all verbs; a verb's module is imported when the verb is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        """Every verb, in the order of the documentation."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a verb, or None for a name that is none."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(VERBS[cmd_name]), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that the arguments name, or a usage error with the nearest one."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            near = get_close_matches(name, VERBS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(VERBS)}"
            ctx.fail(f"unknown verb `{escape(name)}`; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; every failure becomes one message and an exit code."""
        refuse_mixed_installation()
        survive_narrow_encodings()
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _leave_quietly(ctx)
        except GuardrailsError as error:
            raise Failure(str(error)) from None
        except OSError as error:
            raise Failure(_tell_os_error(error)) from None
        except Exception as error:
            if os.environ.get("GUARDRAILS_TRACEBACK"):
                raise
            raise Failure(_tell_fault(error)) from None


def refuse_mixed_installation() -> None:
    """Refuse to run where guardrails-ai is installed too: both own the name `guardrails`."""
    try:
        distribution("guardrails-ai")
    except PackageNotFoundError:
        return
    raise Failure(CLASH)


def survive_narrow_encodings() -> None:
    """Let the standard streams write any text: what they can't encode comes out as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _leave_quietly(ctx: click.Context) -> NoReturn:
    """Exit with 2 when the reader of the output has gone: not every answer was delivered."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())  # or Python complains when it flushes at its end
    os.close(sink)
    ctx.exit(FAILED)


def _tell_os_error(error: OSError) -> str:
    reason = (error.strerror or "can't be read or written").lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def _tell_fault(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    return (
        f"a fault in guardrails itself: {text}; "
        "please report it with what GUARDRAILS_TRACEBACK=1 shows"
    )
