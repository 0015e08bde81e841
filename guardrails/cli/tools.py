"""`guardrails tools`: the decorated tools of a program, and whether policies cover them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli.options import format_option, policies_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.engine import PolicySet
    from guardrails.toolchain.tools.found import FoundTool

UNCOVERED = 1
"""Exit code where a tool is not declared, or can never run."""


@click.command()
@policies_option
@click.option(
    "--manifest",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Declare in FILE, new or there already, the tools that no policy declares.",
)
@format_option()
@click.argument("module")
@click.pass_context
def tools(ctx: click.Context, module: str, folder: str, manifest: Path | None, form: str) -> None:
    """List the decorated tools of MODULE with the rules that concern them.

    MODULE is a dotted name, or the path of a Python file; it is imported. A manifest is written
    from the signatures. Traits can't be read off a function: they are guessed from its name, and
    only as comments, which you confirm; until then the tool counts as having every trait.

    \b
    Example:
      guardrails tools shop.tools -p policies/
      guardrails tools shop.tools --manifest policies/tools.yaml

    Exit codes: 0 every tool is declared and can be called, 1 some are not, 2 usage or load error.
    """
    from guardrails.toolchain.tools.coverage import cover
    from guardrails.toolchain.tools.found import find_tools
    from guardrails.toolchain.tools.text import tell_tools

    found = find_tools(module)
    if not found:
        raise click.UsageError(f"`{module}` has no decorated tools")
    if manifest is not None:
        _declare(found, _load(folder), manifest)
    covered = cover(found, _load(folder))
    if form == "json":
        print_json([each.as_json() for each in covered], indent=2)
    else:
        print_lines(tell_tools(covered))
    ctx.exit(0 if all(each.declared and each.reachable for each in covered) else UNCOVERED)


def _load(folder: str) -> PolicySet:
    """The policies of `folder`; none where there is no such folder yet."""
    from guardrails.engine import PolicySet
    from guardrails.guard import load_policies
    from guardrails.language.document import Bundle

    if not Path(folder).exists():
        return PolicySet(Bundle((), {}, {}, None, ""))
    return load_policies(folder)


def _declare(found: Sequence[FoundTool], policies: PolicySet, file: Path) -> None:
    from guardrails.toolchain.tools.manifest import extend_manifest, write_manifest

    missing = {tool.name: tool for tool in found if tool.name not in policies.bundle.tools}
    if not missing:
        click.echo(f"{file}: nothing to add; every tool is declared", err=True)
        return
    tools = [missing[name] for name in sorted(missing)]
    if file.exists():
        text = extend_manifest(str(file), file.read_text(encoding="utf-8"), tools)
    else:
        text = write_manifest(file.stem.lower().replace("_", "-"), tools)
        file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    click.echo(f"{file}: {len(tools)} declared; confirm their traits", err=True)
