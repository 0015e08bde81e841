"""Guardrails for AI agents as policy, in code: every tool call is judged before it runs."""

from guardrails import installation  # noqa: F401 - first: it refuses to run beside a namesake
from guardrails.action import Action, SessionView, Subject
from guardrails.adapters.decorator import configure, tool
from guardrails.decision import Code, Decision, Effect, RuleMatch, UsedException
from guardrails.engine import Facts, PolicySet
from guardrails.errors import (
    ActionDenied,
    ApprovalExpired,
    ApprovalRejected,
    ApprovalRequired,
    ApprovalsUnavailable,
    ConfigurationError,
    EscalationRefused,
    EvaluationError,
    GuardrailsError,
    InvalidActionError,
    LogDamaged,
    LogUnavailable,
    NotEscalatable,
    PolicyError,
    Problem,
    SessionError,
    VoteRefused,
)
from guardrails.guard import Guard, Health, load_policies
from guardrails.session import Session, current_session
from guardrails.version import __version__

__all__ = [
    "Action",
    "ActionDenied",
    "ApprovalExpired",
    "ApprovalRejected",
    "ApprovalRequired",
    "ApprovalsUnavailable",
    "Code",
    "ConfigurationError",
    "Decision",
    "Effect",
    "EscalationRefused",
    "EvaluationError",
    "Facts",
    "Guard",
    "GuardrailsError",
    "Health",
    "InvalidActionError",
    "LogDamaged",
    "LogUnavailable",
    "NotEscalatable",
    "PolicyError",
    "PolicySet",
    "Problem",
    "RuleMatch",
    "Session",
    "SessionError",
    "SessionView",
    "Subject",
    "UsedException",
    "VoteRefused",
    "__version__",
    "configure",
    "current_session",
    "load_policies",
    "tool",
]
