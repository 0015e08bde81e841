"""`guardrails watch`: what each save of a policy folder changes, and what lint says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli.options import format_option
from guardrails.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guardrails.toolchain.watching import Watcher


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default="policies/", envvar="GUARDRAILS_POLICIES", type=click.Path()
)
@click.option("--test", "testing", is_flag=True, help="Run the tests at every save too.")
@click.option(
    "--poll",
    is_flag=True,
    help="Compare the files instead of waiting for events, as network mounts need it.",
)
@click.option(
    "--tools",
    "modules",
    metavar="MODULE",
    multiple=True,
    help="Lint against the decorated functions of MODULE, as they were when the watch began.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="The settings of lint. [default: the nearest, as for `lint`]",
)
@format_option()
def watch(
    folder: str,
    modules: tuple[str, ...],
    config: str | None,
    form: str,
    *,
    testing: bool,
    poll: bool,
) -> None:
    """Tell what each save in DIR changes, and lint it.

    Documents, rules, tools, constants and facts that were added (+), removed (-) or changed (~)
    are named, against what was last in force. Policies that don't load are told with every
    problem, and the watch goes on: it shows what a guard with `watch=True` does. Ctrl-C ends it.
    With --format json each save is one line.

    \b
    Example:
      guardrails watch policies/
      guardrails watch --test policies/
      guardrails watch --poll /mnt/policies

    Exit codes: 0 ended by Ctrl-C, 2 usage error.
    """
    from time import time_ns

    from guardrails.toolchain.watching import Watcher

    if not Path(folder).exists():
        raise click.BadParameter(f"there is no `{folder}` to watch", param_hint="DIR")
    watcher = Watcher(folder, time_ns, config=config, modules=modules, testing=testing)
    try:
        _watch(watcher, folder, form, polling=poll)
    except KeyboardInterrupt:
        return


def _watch(watcher: Watcher, folder: str, form: str, *, polling: bool) -> None:
    from guardrails.source.folder_state import read_state
    from guardrails.source.folder_watch import FolderWatch

    path = str(Path(folder).absolute())
    watch = FolderWatch(path, polling=polling)
    try:
        state = read_state(path)
        _print(watcher, form)
        if form == "text":
            click.echo(f"watching {folder}; Ctrl-C ends it", err=True)
        while True:
            seen, state = state, watch.look(state)
            if state != seen:
                _print(watcher, form)
    finally:
        watch.close()


def _print(watcher: Watcher, form: str) -> None:
    from guardrails.toolchain.watching_text import tell_sight

    sight = watcher.look()
    if form == "json":
        print_json(sight.as_json())
    else:
        print_lines(tell_sight(sight))
