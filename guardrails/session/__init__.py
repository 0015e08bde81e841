"""Who acts, on whose behalf, and what has happened: the session around a call."""

from guardrails.session.context import inherit_context, read_context
from guardrails.session.session import Session, current_session, names_of
from guardrails.session.state import SessionState

__all__ = [
    "Session",
    "SessionState",
    "current_session",
    "inherit_context",
    "names_of",
    "read_context",
]
