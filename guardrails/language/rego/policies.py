"""The Rego modules of a policy folder as policies, with the engine that the project chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.errors import ConfigurationError, Problem
from guardrails.language.rego.embedded import MEMORY_LIMIT, TIME_LIMIT, EmbeddedEngine
from guardrails.language.rego.lost import check_lost
from guardrails.language.rego.modules import Rego, read_modules
from guardrails.language.rego.settings import EMBEDDED, RegoSettings, find_rego_settings
from guardrails.language.yaml_reader import decode
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.document import Bundle, Document
    from guardrails.language.folder import File, Folder
    from guardrails.language.rego.seam import RegoEngine

    RegoChoice = str | RegoSettings | RegoEngine
    """How Rego is evaluated: `embedded` or the URL of an OPA server, settings, or an engine."""


def read_policies(
    folder: Folder,
    documents: Iterable[Document],
    constants: Mapping[str, Any],
    choice: RegoChoice | None,
) -> tuple[Document, ...]:
    """The policies in the Rego modules of `folder`; their faults are added to its problems.

    `documents` are those that are policies already; `choice` says how modules are evaluated, None
    for as the settings say.
    """
    try:
        settings = _settle(choice, folder)
        parser = make_embedded(settings)
        engine = _choose(choice, settings, parser)
    except ConfigurationError as error:
        folder.problems.append(Problem(folder.modules[0].path, 0, 0, str(error)))
        return ()
    rego = Rego(folder.modules, folder.data, constants, settings.packages, parser, engine)
    found = read_modules(rego, folder.problems)
    known = {document.policy: document.path for document in documents}
    for document in found:
        if document.policy in known:
            message = f"the policy `{document.policy}` is in {known[document.policy]} already"
            folder.problems.append(Problem(document.path, 0, 0, message))
    if folder.problems or engine is not parser:
        parser.close()
    return found


def check_test(folder: Folder, file: File) -> None:
    """Add the problems of a file that is named as a test and holds rules that decide."""
    try:
        packages = find_rego_settings(folder.root).packages
        folder.problems += check_lost(decode(file.path, file.data), packages)
    except Fault as fault:
        folder.problems.append(fault.problem)
    except ConfigurationError as error:
        folder.problems.append(Problem(file.path, 0, 0, str(error)))


def check_choice(choice: object) -> None:
    """Raise ConfigurationError for what doesn't say how Rego is evaluated."""
    if isinstance(choice, str):
        RegoSettings(engine=choice)
    elif not isinstance(choice, RegoSettings) and not all(
        callable(getattr(choice, name, None)) for name in ("evaluate", "close")
    ):
        raise ConfigurationError(
            f"`rego` is `{EMBEDDED}`, the URL of an OPA server, `RegoSettings`, or an engine with"
            f" `evaluate` and `close`, not {quote(repr(choice))}"
        )


def close_engines(bundle: Bundle) -> None:
    """End what evaluates the Rego modules of a bundle."""
    engines = {id(rule.module.engine): rule.module.engine for rule in bundle.rules if rule.module}
    for engine in engines.values():
        engine.close()


def make_embedded(settings: RegoSettings) -> EmbeddedEngine:
    """An embedded engine by the settings; raises ConfigurationError where it isn't installed."""
    timeout, memory = settings.timeout_ms, settings.memory_mb
    embedded = settings.engine == EMBEDDED
    return EmbeddedEngine(
        timeout / 1000 if timeout and embedded else TIME_LIMIT,
        memory << 20 if memory else MEMORY_LIMIT,
    )


def _settle(choice: RegoChoice | None, folder: Folder) -> RegoSettings:
    if isinstance(choice, RegoSettings):
        return choice
    found = find_rego_settings(folder.root)
    return found.asking(choice) if isinstance(choice, str) else found


def _choose(
    choice: RegoChoice | None, settings: RegoSettings, parser: EmbeddedEngine
) -> RegoEngine:
    if choice is not None and not isinstance(choice, str | RegoSettings):
        return choice
    if settings.engine == EMBEDDED:
        return parser
    from guardrails.language.rego.opa_server import OpaServer  # noqa: PLC0415 - only where it is used

    return OpaServer.of(settings)
