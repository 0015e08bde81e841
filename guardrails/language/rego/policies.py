"""The Rego modules of a policy folder as policies, with the engine that the project chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import ConfigurationError, Problem
from guardrails.language.rego.embedded import MEMORY_LIMIT, TIME_LIMIT, EmbeddedEngine
from guardrails.language.rego.modules import Rego, read_modules
from guardrails.language.rego.settings import EMBEDDED, RegoSettings, find_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.document import Document
    from guardrails.language.folder import Folder
    from guardrails.language.rego.seam import RegoEngine


def read_policies(
    folder: Folder,
    documents: Iterable[Document],
    constants: Mapping[str, Any],
    engine: RegoEngine | None,
) -> tuple[Document, ...]:
    """The policies in the Rego modules of `folder`; their faults are added to its problems.

    `documents` are those that are policies already; `engine` evaluates, None for what the settings
    say.
    """
    try:
        settings = find_settings(folder.root)
        parser = make_embedded(settings)
        engine = engine or _choose(settings, parser)
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


def make_embedded(settings: RegoSettings) -> EmbeddedEngine:
    """An embedded engine by the settings; raises ConfigurationError where it isn't installed."""
    timeout, memory = settings.timeout_ms, settings.memory_mb
    embedded = settings.engine == EMBEDDED
    return EmbeddedEngine(
        timeout / 1000 if timeout and embedded else TIME_LIMIT,
        memory << 20 if memory else MEMORY_LIMIT,
    )


def _choose(settings: RegoSettings, parser: EmbeddedEngine) -> RegoEngine:
    if settings.engine == EMBEDDED:
        return parser
    from guardrails.language.rego.opa_server import OpaServer  # noqa: PLC0415 - only where it is used

    return OpaServer.of(settings)
