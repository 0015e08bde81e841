"""Where a value came from: the texts of a session's sources, and what the person said in it."""

from guardrails.session.origins.memory import Origins

__all__ = ["Origins"]
