"""Documents, an action and facts to a decision: pure, without clock, files or chance."""

from guardrails.engine.facts import Facts
from guardrails.engine.policy_set import PolicySet

__all__ = ["Facts", "PolicySet"]
