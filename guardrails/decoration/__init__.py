"""A tool function made a guarded one: rebuilt over its own parameters, judged at each call."""

from guardrails.decoration.calls import MARK, Mark, decorate

__all__ = ["MARK", "Mark", "decorate"]
