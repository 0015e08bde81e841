"""`guardrails init`: a folder of policies, started from packs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli.options import format_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.toolchain.packs import Pack
    from guardrails.toolchain.tools.found import FoundTool


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default="policies/", type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--pack",
    "names",
    metavar="NAME",
    multiple=True,
    help="Copy this pack; `all` for every one. May be repeated.  [default: baseline]",
)
@click.option(
    "--tools", "module", metavar="MODULE", help="Declare the decorated tools of MODULE as well."
)
@click.option("--list", "listing", is_flag=True, help="List the packs, and write nothing.")
@format_option()
def init(
    folder: Path, names: tuple[str, ...], module: str | None, form: str, *, listing: bool
) -> None:
    """Start a folder of policies in DIR from packs, with a document of your own to begin with.

    A pack is copied with its tests and a page for compliance officers that says what to declare.
    Packs only restrict: what your agents may do is for you to write, in `agents.yaml`. Packs are
    added to a folder that has policies already; nothing that is there is overwritten.

    MODULE is a dotted name, or the path of a Python file; it is imported. Its tools are declared
    in `tools.yaml`, where you confirm their traits.

    \b
    Example:
      guardrails init --list
      guardrails init policies/ --pack baseline --pack data-flow --tools shop.tools
      guardrails init /tmp/try --pack all

    Exit codes: 0 written, 2 usage error, or something is there already.
    """
    from guardrails.toolchain.packs import is_begun, plan_start, read_packs, write_start

    if listing:
        _list(read_packs(names or ("all",)), form)
        return
    packs = read_packs(names or ("baseline",))
    planned = plan_start(packs, _find(module), begun=is_begun(folder))
    write_start(folder, planned)
    written = [str(folder / name) for name in planned]
    if form == "json":
        print_json({"written": written}, indent=2)
    else:
        _tell(folder, written)


def _find(module: str | None) -> Sequence[FoundTool]:
    if module is None:
        return ()
    from guardrails.toolchain.tools.found import find_tools

    found = {tool.name: tool for tool in find_tools(module)}
    if not found:
        raise click.UsageError(f"`{module}` has no decorated tools")
    return [found[name] for name in sorted(found)]


def _list(packs: Sequence[Pack], form: str) -> None:
    from guardrails.toolchain.lines import Tone, line, paragraph

    if form == "json":
        print_json([pack.as_json() for pack in packs], indent=2)
        return
    for pack in packs:
        print_lines([line((pack.name, Tone.STRONG)), *paragraph(pack.description, 2)])


def _tell(folder: Path, written: Sequence[str]) -> None:
    from guardrails.toolchain.lines import Tone, line

    print_lines(
        [
            *map(line, written),
            line(),
            line(("Next", Tone.STRONG)),
            line(f"  declare your tools, and allow what is needed, in {folder}"),
            line("  read what each pack needs to know, in its README.md"),
            line(f"  guardrails lint {folder} && guardrails test {folder}"),
        ]
    )
