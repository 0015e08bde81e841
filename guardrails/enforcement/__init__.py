"""The point where policy is enforced: decide, ask people where it says so, write it down, run."""

from guardrails.enforcement.enforcer import Enforcer
from guardrails.enforcement.recorder import Log

__all__ = ["Enforcer", "Log"]
