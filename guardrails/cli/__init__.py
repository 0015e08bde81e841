"""The command `guardrails`: one module for each verb, imported when the verb is used."""

from __future__ import annotations

import click

from guardrails.cli.frame import Verbs
from guardrails.version import __version__


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 clean or allow, 1 findings or deny, 2 usage or load error, "
    "3 escalate, 4 undetermined.",
)
@click.version_option(__version__, prog_name="guardrails", message="%(prog)s %(version)s")
def main() -> None:
    """Judge what AI agents may do, by policies kept as files.

    \b
    Example:
      guardrails check -p policies/ action.json
    """
