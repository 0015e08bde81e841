"""`shell_commands`: the commands that a text would run if a shell were given it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.reading.shell.commands import list_commands
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import BOOL, STRING, RecordType, list_of, map_of

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT_LENGTH_MAX = 32_768
"""Characters of a script, and of each script inside it."""

WORD_STEPS = 30
"""The charge for each run of blanks, quotes or operators, beside one for each character."""

_BETWEEN = re.compile(r"[\s;&|<>()\"'`$\\]+")

REDIRECT = RecordType(
    "map",
    fields={"op": STRING, "target": STRING, "writes": BOOL},
    closed=True,
    of="a redirection of `shell_commands(..)`",
)

COMMAND = RecordType(
    "map",
    fields={
        "name": STRING,
        "path": STRING,
        "args": list_of(STRING),
        "text": STRING,
        "assignments": map_of(STRING, STRING),
        "redirects": list_of(REDIRECT),
        "via": list_of(STRING),
        "piped_from": list_of(STRING),
    },
    closed=True,
    of="a command of `shell_commands(..)`",
)


def shell_commands(budget: Budget, script: str) -> list[Any]:
    """Every command that `script` would run, as `{name: "rm", args: ["-rf", "/"], ..}`.

    Those in pipelines, lists, loops, functions, substitutions and subshells count, and those that
    `sudo`, `env`, `xargs`, `find -exec`, `bash -c`, `eval` and their kin run. A command that is
    run but not shown (`$x`, `curl .. | sh`) is in the list as a value that can't be judged.

    Errors: a script that bash refuses, that bash and POSIX sh read differently, or that does
    arithmetic on names; more than 32,768 characters or 256 commands.
    """

    def charge_script(source: str) -> None:
        if len(source) > SCRIPT_LENGTH_MAX:
            raise EvaluationError(f"a shell script has at most {SCRIPT_LENGTH_MAX:,} characters")
        charge(budget, len(source))
        charge(budget, 64 + WORD_STEPS * len(_BETWEEN.findall(source)))

    return _guarded(list_commands, script, charge_script)


def _guarded(
    read: Callable[..., list[Any]], script: str, charge_script: Callable[[str], None]
) -> list[Any]:
    try:
        return read(script, charge_script)
    except RecursionError:
        raise EvaluationError("a shell script stands too deep in itself") from None


OVERLOADS = (
    Overload(
        "shell_commands",
        (STRING,),
        list_of(COMMAND),
        receiver=False,
        implementation=shell_commands,
    ),
)
