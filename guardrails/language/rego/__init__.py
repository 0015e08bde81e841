"""Rego modules as policies, and the seam behind which an engine evaluates them.

`seam.py` is what an engine has to do; `embedded.py` and `opa_server.py` are the two that ship.
`Guard.load(..., rego=...)` takes settings, or an engine of one's own.
"""

from guardrails.language.rego.seam import Answer, EngineFailure, RegoEngine, Text, Unit
from guardrails.language.rego.settings import RegoSettings

__all__ = ["Answer", "EngineFailure", "RegoEngine", "RegoSettings", "Text", "Unit"]
