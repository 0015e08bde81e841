"""Every exception that the library raises. All inherit `GuardrailsError`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.decision import Decision


class GuardrailsError(Exception):
    """The root of all errors of this library."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A fault in a policy file: where it is, what it is, and the next step.

    `line` and `column` count from 1; 0 means the file (or folder) as a whole. `excerpt` is the
    offending line with a caret line under it, or empty.
    """

    path: str
    line: int
    column: int
    message: str
    excerpt: str = ""

    @property
    def place(self) -> str:
        """`path:line:column`, or `path` alone for a fault of the whole file."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n{self.excerpt}" if self.excerpt else text


class PolicyError(GuardrailsError):
    """Policies that can't be loaded; `problems` holds every fault found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class EvaluationError(GuardrailsError):
    """A condition that has no value: a missing argument, a wrong type, a bound exceeded.

    The text names no value of the action: it is recorded, and may be shown to people.
    """


class BudgetsUnavailable(EvaluationError):  # noqa: N818 - it names a state that callers handle
    """The ledger of budgets can't be asked or can't take a charge, so what spends does not run."""


class InvalidActionError(GuardrailsError):
    """An action that is refused before any rule is read, as `invalid_action`."""


class SessionError(GuardrailsError):
    """A session that can't be opened or resumed as asked."""


class ConfigurationError(GuardrailsError):
    """The library is used in a way that can't work; the text says what to do instead."""


class LogUnavailable(GuardrailsError):  # noqa: N818 - likewise
    """The decision log can't take a record, so the action it stands for does not run."""


class LogDamaged(GuardrailsError):  # noqa: N818 - likewise
    """A decision log, anchor or seal that can't be read for what it says it is."""


class ApprovalsUnavailable(GuardrailsError):  # noqa: N818 - likewise
    """The store of approvals can't be asked or can't be believed, so nothing that needs it runs."""


class StateUnavailable(GuardrailsError):  # noqa: N818 - likewise
    """What guards share, stops and sessions, can't be read or kept, so what needs it is refused."""


class RequestUnknown(GuardrailsError):  # noqa: N818 - likewise
    """A request for approval that the store doesn't hold."""


class NotEscalatable(GuardrailsError):  # noqa: N818 - likewise
    """An action that nobody can be asked about: a part of it can't be shown. It is denied."""


class EscalationRefused(GuardrailsError):  # noqa: N818 - likewise
    """An action that nobody is asked about, by `code`; it is denied.

    `no_approvers`: nobody who may approve it is configured. `agent_budget`, `approver_budget`: too
    many requests are open. `suspended`: the agent has flooded people with requests.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class SignInRefused(GuardrailsError):  # noqa: N818 - likewise
    """Somebody who can't be let in as the approver that she says she is."""


class VoteRefused(GuardrailsError):  # noqa: N818 - likewise
    """A vote that does not count, by `code`.

    `unknown_voter`, `not_open`, `not_approver`, `separated` (the agent, the
    person it acts for, or whom the terms keep apart), `voted` (once already), `comment`.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class DeliveryFailed(GuardrailsError):  # noqa: N818 - likewise
    """A notice that a channel could not deliver; it is tried again.

    `after_s` is how many seconds the other side asked to be left alone, `final` that to try again
    is of no use.
    """

    def __init__(self, message: str, after_s: float = 0.0, *, final: bool = False) -> None:
        super().__init__(message)
        self.after_s = after_s
        self.final = final


class CallbackRefused(GuardrailsError):  # noqa: N818 - likewise
    """A vote that came in over a channel and is not taken, by the `status` of HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ActionDenied(GuardrailsError):  # noqa: N818 - the name users catch
    """A refused call. The text is meant for the model: never a condition, never a value.

    `decision` is the decision, `id` its record in the decision log.
    """

    def __init__(self, message: str, decision: Decision, id: str) -> None:  # noqa: A002
        super().__init__(message)
        self.decision = decision
        self.id = id


class ApprovalRejected(ActionDenied):
    """A call that people were asked about and denied. `request` is the id of the request."""

    def __init__(self, message: str, decision: Decision, id: str, request: str) -> None:  # noqa: A002
        super().__init__(message, decision, id)
        self.request = request


class ApprovalExpired(ActionDenied):
    """A call that nobody approved in time. `request` is the id of the request."""

    def __init__(self, message: str, decision: Decision, id: str, request: str) -> None:  # noqa: A002
        super().__init__(message, decision, id)
        self.request = request


class ApprovalRequired(GuardrailsError):  # noqa: N818 - the name users catch
    """A call that people must approve first; it did not run.

    `decision` is the decision, `id` its record in the decision log, `request` the id of the
    request to people ("" where the guard has no store of approvals, so that nobody is asked). The
    same call, repeated once it is approved, runs.
    """

    def __init__(
        self,
        message: str,
        decision: Decision,
        id: str,  # noqa: A002
        request: str = "",
    ) -> None:
        super().__init__(message)
        self.decision = decision
        self.id = id
        self.request = request
