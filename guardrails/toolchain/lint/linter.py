"""Lint as it is asked for: the settings that hold, the time, the program's own functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.errors import ConfigurationError, PolicyError
from guardrails.language.loader import without_collector
from guardrails.language.settings_file import find_settings, read_settings
from guardrails.toolchain.lint.project import Project
from guardrails.toolchain.lint.registry import all_rules
from guardrails.toolchain.lint.report import lint, report_of_load
from guardrails.toolchain.lint.settings import Settings, read_lint_settings
from guardrails.toolchain.tools.found import find_tools

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.language.folder import Folder
    from guardrails.toolchain.lint.report import Progress, Report
    from guardrails.toolchain.tools.found import FoundTool


@dataclass(frozen=True, slots=True)
class Linter:
    """Lints the files of the folder `root`, as often as they change.

    `now_ns` is the time to judge expiry at, in nanoseconds since 1970; `functions` are those of
    the program that the policies are for, None where they are not known.
    """

    root: str
    now_ns: int
    settings: Settings = field(default_factory=Settings)
    functions: tuple[FoundTool, ...] | None = None
    progress: Progress | None = None

    def lint(self, folder: Folder) -> Report:
        """What is wrong with the policies in `folder`; where they don't load, why they don't."""
        files = len(folder.documents) + len(folder.modules) + len(folder.tests)
        with without_collector():
            try:
                project = Project(folder, self.root, self.now_ns, self.settings, self.functions)
            except PolicyError as error:
                return replace(report_of_load(error), files=files)
            return replace(lint(project, self.progress), files=files)


def make_linter(
    root: Path,
    *,
    config: str | None = None,
    modules: Iterable[str] = (),
    now_ns: int | None = None,
    progress: Progress | None = None,
) -> Linter:
    """A linter of the folder `root`, by the settings in `config` or else in the nearest file.

    `modules` are imported for their decorated functions. Raises ConfigurationError for settings
    that can't be and for a module without
    decorated functions, ModuleNotImported for one that can't be imported.
    """
    file = find_settings(root) if config is None else Path(config)
    settings = read_lint_settings(read_settings(file).table("lint"), all_rules())
    found = [tool for module in modules for tool in _find(module)]
    now = time_ns() if now_ns is None else now_ns
    return Linter(str(root), now, settings, tuple(found) or None, progress)


def _find(module: str) -> tuple[FoundTool, ...]:
    found = find_tools(module)
    if not found:
        raise ConfigurationError(f"{quote(module)} has no decorated tools to check against")
    return found
