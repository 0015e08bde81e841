"""`guardrails audit`: the decision log verified, anchored, sealed and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import click

from guardrails.cli.frame import Failure
from guardrails.cli.options import format_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.audit.reading import Filter

MAX_ANCHORS = 64 * 1024 * 1024
"""Bytes of a file of anchors or of a key that are read."""


def path_argument(command: Any) -> Any:
    """The argument PATH: a log file, or a folder of them."""
    return click.argument(
        "path", metavar="[PATH]", default=".guardrails/log", envvar="GUARDRAILS_LOG"
    )(command)


@click.group()
def audit() -> None:
    """Verify, anchor, seal and read the decision log.

    PATH is a log file or a folder of them, by default what GUARDRAILS_LOG names or
    .guardrails/log.

    \b
    Example:
      guardrails audit verify .guardrails/log
    """


@audit.command()
@click.option("--head", "anchors", type=click.File("rb"), help="Anchors that were kept elsewhere.")
@click.option("--key", "key_file", type=click.File("rb"), help="The auditor's key, for the seal.")
@format_option()
@path_argument
@click.pass_context
def verify(
    ctx: click.Context, path: str, anchors: BinaryIO | None, key_file: BinaryIO | None, form: str
) -> None:
    """Find every altered, removed, repeated or reordered record, and name it.

    What an attacker could have cut off the end unseen is remarked; anchors (--head) prove it to
    be there, and the auditor's key (--key) proves that a sealed log was written by its writer.

    \b
    Example:
      guardrails audit verify
      guardrails audit verify .guardrails/log --head head.json --key auditor.key

    Exit codes: 0 intact (there may be remarks), 1 broken, 2 no log, nothing in it, or unreadable.
    """
    from guardrails.audit.anchors import read_head
    from guardrails.audit.seal import AuditKey
    from guardrails.audit.verify import verify as verify_log
    from guardrails.toolchain.audit_text import tell_report

    head = None if anchors is None else read_head(anchors.read(MAX_ANCHORS))
    key = None if key_file is None else AuditKey.parse(_read_text(key_file))
    report = verify_log(path, head, key)
    if form == "json":
        print_json(report.as_json(), indent=2)
    else:
        print_lines(tell_report(report))
    if report.intact and not report.records:
        raise Failure(f"{path}: there is no record to verify")
    ctx.exit(0 if report.intact else 1)


@audit.command()
@format_option("json")
@path_argument
def head(path: str, form: str) -> None:
    """Print anchors: the present end of every chain.

    Keep them, as JSON, where the writer of the log can't reach, and `verify --head` tells whether
    all that was there then is there still.

    \b
    Example:
      guardrails audit head .guardrails/log > head.json
    """
    from guardrails.audit.anchors import head as read_ends
    from guardrails.toolchain.audit_text import tell_anchor

    anchors = read_ends(path)
    if not anchors.anchors:
        raise Failure(f"{path}: there is no record to anchor")
    if form == "json":
        click.echo(anchors.text)
    else:
        print_lines(map(tell_anchor, anchors.anchors))


@audit.command()
@click.option(
    "--key", "key_file", metavar="FILE", help="Where the auditor's key goes; else it is printed."
)
@click.option(
    "--seal", metavar="FILE", help="Where the writer's key goes. [default: seal.key in PATH]"
)
@format_option()
@path_argument
def init(path: str, key_file: str | None, seal: str | None, form: str) -> None:
    """Seal a log: give the auditor a key, and the writer one that steps forward.

    From the next chain on, whoever takes the writing process over can't rewrite what was written
    before. Keep the auditor's key away from the machine that writes the log; it is shown once.

    \b
    Example:
      guardrails audit init .guardrails/log --key /media/auditor/guardrails.key
    """
    from guardrails.audit.seal import init_seal
    from guardrails.toolchain.lines import line

    key = init_seal(path, key_file, seal=seal)
    shown = None if key_file is not None else key.text
    if form == "json":
        print_json({"key_id": key.id, "key": shown, "key_file": key_file})
    elif shown is not None:
        click.echo(shown)
    else:
        print_lines([line(f"sealed with the key {key.id}; the auditor's key is in {key_file}")])


def filter_options(command: Any) -> Any:
    """The options that choose records, one for each field of `Filter`."""
    options = {
        "id": "the record of this id, and what became of it",
        "kind": "records of this kind, say `decision`",
        "tool": "calls of this tool",
        "effect": "decisions of this effect",
        "code": "decisions of this code",
        "rule": "decisions in which this rule took part",
        "subject": "calls by this subject",
        "session": "calls in this session",
        "since": "records from this time (UTC) on, say 2026-06-01",
        "until": "records before this time (UTC)",
    }
    for name, help_text in reversed(options.items()):
        command = click.option(f"--{name}", metavar="TEXT", help=f"Only {help_text}.")(command)
    return command


@audit.command()
@filter_options
@format_option()
@path_argument
@click.pass_context
def show(ctx: click.Context, /, path: str, form: str, **wanted: str | None) -> None:
    """Print records, one a line, those of one chain in their order; nothing is verified.

    Lines that are no records are always shown: what somebody damaged must not go unseen.

    \b
    Example:
      guardrails audit show --effect deny --since 2026-06-01
      guardrails audit show --tool payments.transfer --format json

    Exit codes: 0 shown, 1 no record is so, or a line is no record, 2 no log.
    """
    from guardrails.audit.reading import Filter

    ctx.exit(_show(path, form, Filter(**wanted)))


def _show(path: str, form: str, wanted: Filter) -> int:
    from guardrails.audit.reading import records
    from guardrails.toolchain.audit_text import tell_record

    shown = damaged = 0
    for record in records(path, wanted):
        shown += not record.problem
        damaged += bool(record.problem)
        if form == "text":
            print_lines([tell_record(record)])
        elif record.problem:
            print_json({"file": record.file, "line": record.line, "problem": record.problem})
        else:
            print_json(record.data)
    if not shown:
        click.echo("no record is so", err=True)
    return 1 if damaged or not shown else 0


def _read_text(file: BinaryIO) -> str:
    return file.read(MAX_ANCHORS).decode("ascii", "replace")
