"""What is installed beside this package: it shares its import name with `guardrails-ai`.

Installed together, the two overwrite each other's modules, and nobody can say what then runs.
"""

from __future__ import annotations

from pathlib import Path

CLASH = (
    "the distributions `policy-guardrails` and `guardrails-ai` are installed together, and both"
    " are imported as `guardrails`: uninstall both (`pip uninstall policy-guardrails"
    " guardrails-ai`), then install the one you want"
)


def find_namesake(folder: Path) -> bool:
    """Whether `guardrails-ai` is installed in `folder`, where this package lies."""
    return any(folder.glob("guardrails_ai-*.dist-info"))


if find_namesake(Path(__file__).parents[1]):
    raise ImportError(CLASH)
