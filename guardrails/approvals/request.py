"""An action that waits for people: what was judged, bound by digests, and how far it has come."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from guardrails.approvals.exact import read_exact, write_exact
from guardrails.approvals.terms import RuleTerms, timeout_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.action import Subject
    from guardrails.approvals.vote import Vote

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Status(StrEnum):
    """How far a request has come; from the last four there is no way back."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    USED = "used"

    @property
    def is_open(self) -> bool:
        """Whether something can still become of it."""
        return self in (Status.PENDING, Status.APPROVED)


class Kind(StrEnum):
    """Why people are asked: before an action, after one that broke glass, or by sample."""

    APPROVAL = "approval"
    REVIEW = "review"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Actor:
    """One of the chain of subjects: a `Subject` as it was judged, its attributes judged values."""

    id: str
    roles: tuple[str, ...] = ()
    on_behalf_of: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, subject: Subject) -> Actor:
        """The subject of an action, its roles in order."""
        roles = tuple(sorted(set(subject.roles)))
        return cls(subject.id, roles, subject.on_behalf_of, subject.judged)

    def as_json(self) -> dict[str, Any]:
        """The actor in the plain form that is stored and hashed."""
        return {
            "id": self.id,
            "roles": list(self.roles),
            "on_behalf_of": self.on_behalf_of,
            "attributes": self.attributes,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Actor:
        """The actor of its plain form; raises KeyError or TypeError for another."""
        attributes = MappingProxyType(form["attributes"])
        return cls(form["id"], tuple(form["roles"]), form["on_behalf_of"], attributes)


@dataclass(frozen=True, slots=True)
class Case:
    """What a request binds: change any part of it, and it is another action.

    `arguments`, `context` (the facts that were read, no others) and the attributes of `subjects`
    (the chain of a delegation, who acts last) are judged values. `session` is None where there is
    none. Raises NotEscalatable for a value that can't be judged.
    """

    tool: str
    arguments: Mapping[str, Any]
    subjects: tuple[Actor, ...] = ()
    session: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[RuleTerms, ...] = ()
    action_digest: str = field(init=False)
    """Digest of all but the rules: by it an approval is found whose rules are fewer now."""
    digest: str = field(init=False)
    """Digest of the whole."""

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.rules, key=lambda rule: rule.rule))
        object.__setattr__(self, "rules", ordered)
        form = self.as_json()
        object.__setattr__(self, "digest", _hash("case", write_exact(form)))
        del form["rules"]
        object.__setattr__(self, "action_digest", _hash("action", write_exact(form)))

    def as_json(self) -> dict[str, Any]:
        """The case in the plain form that is stored and hashed."""
        return {
            "tool": self.tool,
            "arguments": self.arguments,
            "subjects": [subject.as_json() for subject in self.subjects],
            "session": self.session,
            "context": self.context,
            "rules": [rule.as_json() for rule in self.rules],
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Case:
        """The case of its plain form; raises KeyError, TypeError or ValueError for another."""
        return cls(
            form["tool"],
            MappingProxyType(form["arguments"]),
            tuple(map(Actor.from_json, form["subjects"])),
            form["session"],
            MappingProxyType(form["context"]),
            tuple(map(RuleTerms.from_json, form["rules"])),
        )


def _hash(what: str, text: str) -> str:
    labelled = b"guardrails %b 1\0%b" % (what.encode(), text.encode())
    return f"sha256:{sha256(labelled).hexdigest()}"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A request to people.

    What never changes: `case` (what an approval is for), `environment` (where the action would
    run), `evidence` (what the guard knows besides: traits, the tool's description, the session's
    last actions; never the agent's words), `labels` of the session, `revision` of the policies that
    escalated, `created_ns`, `expires_ns` (of a review: when it is overdue).

    What becomes of it: `status`, `votes` in the order they were cast, `decided_ns`, `used_ns`,
    `uses`, `ended_by` and `reason` of a cancellation. Times are nanoseconds since 1970, 0 for what
    has not happened.
    """

    id: str
    case: Case
    kind: Kind
    revision: str
    created_ns: int
    expires_ns: int
    environment: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    status: Status = Status.PENDING
    votes: tuple[Vote, ...] = ()
    decided_ns: int = 0
    used_ns: int = 0
    uses: int = 0
    ended_by: str = ""
    reason: str = ""

    @property
    def digest(self) -> str:
        """Digest of what an approval is for."""
        return self.case.digest

    @property
    def content(self) -> str:
        """Digest of all that an approver is shown, the times included."""
        return _hash("request", write_exact([self.id, write_body(self)]))

    @property
    def tool(self) -> str:
        """The tool that the action would call."""
        return self.case.tool

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The exact arguments, as judged; masks hide them in the log, not here."""
        return self.case.arguments

    @property
    def subjects(self) -> tuple[Actor, ...]:
        """The chain of a delegation, who acts last; empty where nobody says."""
        return self.case.subjects

    @property
    def session(self) -> str | None:
        """The session's id, or None."""
        return self.case.session

    @property
    def context(self) -> Mapping[str, Any]:
        """The facts that the rules read."""
        return self.case.context

    @property
    def rules(self) -> tuple[RuleTerms, ...]:
        """The rules that escalated, by name."""
        return self.case.rules

    @property
    def agent(self) -> str:
        """The agent that answers for the request: the first of the chain; "" where unknown."""
        return self.subjects[0].id if self.subjects else ""

    @property
    def on_behalf_of(self) -> str:
        """The person for whom the agent acts, "" if there is none."""
        named = (subject.on_behalf_of for subject in reversed(self.subjects))
        return next(filter(None, named), "")

    def passed(self, now_ns: int) -> bool:
        """Whether its time is over."""
        return now_ns >= self.expires_ns


def make_request(
    case: Case,
    now_ns: int,
    *,
    kind: Kind = Kind.APPROVAL,
    revision: str = "",
    environment: Mapping[str, Any] = _EMPTY,
    evidence: Mapping[str, Any] = _EMPTY,
    labels: Iterable[str] = (),
) -> ApprovalRequest:
    """A new request, pending, under a fresh id; it ends when the shortest of its rules' times has.

    Raises NotEscalatable where a value can't be written exactly.
    """
    request = ApprovalRequest(
        secrets.token_hex(10),
        case,
        kind,
        revision,
        now_ns,
        now_ns + timeout_of(case.rules),
        environment,
        evidence,
        tuple(sorted(labels)),
    )
    write_body(request)
    return request


def write_body(request: ApprovalRequest) -> str:
    """What never changes of a request, as exact text."""
    return write_exact(
        {
            "case": request.case.as_json(),
            "kind": str(request.kind),
            "revision": request.revision,
            "created_ns": request.created_ns,
            "expires_ns": request.expires_ns,
            "environment": request.environment,
            "evidence": request.evidence,
            "labels": list(request.labels),
        }
    )


def read_body(id: str, text: str, **progress: Any) -> ApprovalRequest:  # noqa: A002
    """The request of that body and `progress`; raises ValueError for text that is no body."""
    try:
        body = read_exact(text)
        return ApprovalRequest(
            id,
            Case.from_json(body["case"]),
            Kind(body["kind"]),
            body["revision"],
            body["created_ns"],
            body["expires_ns"],
            MappingProxyType(body["environment"]),
            MappingProxyType(body["evidence"]),
            tuple(body["labels"]),
            **progress,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not the body of a request") from error
