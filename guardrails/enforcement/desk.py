"""What a guard asks people: the case that an answer is bound to, and the terms of the rules."""

from __future__ import annotations

import os
import socket
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from guardrails.approvals.request import Actor, Case, Kind, Status
from guardrails.approvals.requester import Standing
from guardrails.approvals.terms import Group, RuleTerms, Stage, Terms
from guardrails.decision import Effect
from guardrails.enforcement.evidence import gather_evidence
from guardrails.errors import ApprovalsUnavailable, NotEscalatable, RequestUnknown
from guardrails.forks import after_fork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.requester import Claim, Requester
    from guardrails.decision import Decision
    from guardrails.enforcement.proposal import Question
    from guardrails.language.document import Approval, Rule

MAX_ASKED = 10_000
"""How many requests a guard remembers having opened, to tell once how each ended."""


class Desk:
    """Where a guard asks people, by what it holds of approvals. `waits`: calls wait for them."""

    __slots__ = ("__weakref__", "_asked", "_lock", "requester", "waits")

    def __init__(self, requester: Requester, *, waits: bool) -> None:
        self.requester = requester
        self.waits = waits
        self._asked: OrderedDict[str, str] = OrderedDict()
        self._make_lock()
        after_fork(self, Desk._make_lock)  # a thread of the parent may hold the lock

    def _make_lock(self) -> None:
        self._lock = Lock()

    def overdue(self, rules: tuple[str, ...]) -> frozenset[str]:
        """Those of the rules of which a review is overdue: all of them, if that can't be told."""
        try:
            return frozenset(self.requester.store.overdue(rules))
        except ApprovalsUnavailable:
            return frozenset(rules)

    def ask(self, question: Question) -> Claim | ApprovalRequest:
        """How the call stands with people, or a request of this guard that ended unanswered.

        What is granted is used up by this. Raises NotEscalatable, EscalationRefused and
        ApprovalsUnavailable; then nobody is asked and nothing may run.
        """
        case = make_case(question, _all_rules_of(question))
        ended = self._find_ended(case)
        if ended is not None:
            return ended
        claim = self.requester.claim(case, **_surroundings(question))
        if claim.standing is Standing.WAITING:
            with self._lock:
                self._asked[case.digest] = claim.request.id
                if len(self._asked) > MAX_ASKED:
                    self._asked.popitem(last=False)
        return claim

    def samples(self, decision: Decision) -> bool:
        """Whether people are to look at that allowed call afterwards, by sample."""
        sampling = self.requester.sampling
        return sampling is not None and decision.effect is Effect.ALLOW and sampling.draws()

    def open_review(self, question: Question) -> str:
        """The id of the review that opens over a call that runs at once; raises as `ask` does.

        Where no rule asks for one it is a sample. A call of which people can't be shown a part is
        none: then the id is "".
        """
        rules, around = tuple(_rules_of(question)), _surroundings(question)
        if rules:
            return self.requester.review(make_case(question, rules), **around).id
        assert self.requester.sampling is not None
        rules = tuple(_sampled_rules(question, self.requester.sampling.terms))
        try:
            case = make_case(question, rules)
            return self.requester.review(case, kind=Kind.SAMPLE, **around).id
        except NotEscalatable:
            return ""

    def _find_ended(self, case: Case) -> ApprovalRequest | None:
        """The request of this guard for the case if it ended unanswered; it is told once."""
        with self._lock:
            known = self._asked.get(case.digest)
        if known is None:
            return None
        try:
            request = self.requester.store.get(known)
        except RequestUnknown:
            request = None
        if request is not None and request.status.is_open:
            return None
        with self._lock:
            self._asked.pop(case.digest, None)
        ended = (Status.EXPIRED, Status.CANCELLED)
        return request if request is not None and request.status in ended else None


def make_case(question: Question, rules: tuple[RuleTerms, ...]) -> Case:
    """What an answer is bound to; raises NotEscalatable where a part of it can't be shown."""
    entry, session = question.entry, question.proposal.session
    return Case(
        entry.tool,
        entry.arguments,
        () if session is None else tuple(map(Actor.of, session.chain)),
        entry.session_id,
        entry.context or {},
        rules,
    )


def read_terms(rule: Rule) -> Terms:
    """The terms on which people decide over what a rule escalates, or review what it let run.

    Without `approval` nobody can approve.
    """
    if rule.review is not None:
        return Terms((Group(rule.review.names),), timeout_ns=rule.review.within_ns)
    return _terms_of(rule.approval)


def _terms_of(approval: Approval | None) -> Terms:
    """The terms of an `approval`; without one nobody can approve."""
    if approval is None:
        return Terms()
    timeout = {} if approval.timeout_ns is None else {"timeout_ns": approval.timeout_ns}
    return Terms(
        groups=tuple(Group(each.names, each.quorum) for each in approval.groups),
        then=tuple(Stage(each.after_ns, each.names) for each in approval.stages),
        separate_from=approval.separate_from,
        remember_ns=approval.remember_ns,
        veto=approval.veto,
        **timeout,
    )


def _all_rules_of(question: Question) -> tuple[RuleTerms, ...]:
    """The rules that escalate; raises NotEscalatable where one is not known by its terms.

    To ask on the terms of the others would let the call run without what that one wants.
    """
    rules = tuple(_rules_of(question))
    if {rule.rule for rule in rules} != _deciding(question.entry.decision):
        raise NotEscalatable("a rule escalates this whose terms are not known")
    return rules


def _deciding(decision: Decision) -> set[str]:
    """The names of the rules whose effect the decision has."""
    return {
        match.rule
        for match in decision.matches
        if match.effect is decision.effect and not match.observed
    }


def _rules_of(question: Question) -> Iterator[RuleTerms]:
    """The rules of the decision for which people are asked, in their words and terms."""
    policies, decision = question.proposal.policies, question.entry.decision
    names = _deciding(decision)
    owners = {each.policy: each.owner for each in policies.bundle.documents}
    told = {
        match.rule: match.told
        for match in decision.matches
        if match.told is not None and match.rule in names and match.effect is Effect.ESCALATE
    }
    for rule in policies.concerning(question.entry.tool):
        asks = rule.effect is Effect.ESCALATE or rule.review is not None
        if asks and rule.name in names and rule.name not in told:
            owner = owners.get(rule.policy, "")
            yield RuleTerms(rule.name, read_terms(rule), rule.description, rule.message, owner)
    for name, words in told.items():
        owner = owners.get(name.rpartition("/")[0], "")
        yield RuleTerms(name, _terms_of(words.approval), words.description, words.message, owner)


def _sampled_rules(question: Question, terms: Terms) -> Iterator[RuleTerms]:
    """The rules that allowed a call, under the terms of a sample."""
    policies, decision = question.proposal.policies, question.entry.decision
    words = {rule.name: rule for rule in policies.concerning(question.entry.tool)}
    for match in decision.matches:
        if match.effect is Effect.ALLOW and not match.observed:
            rule = words.get(match.rule)
            told = ("", "") if rule is None else (rule.description, rule.message)
            yield RuleTerms(match.rule, terms, *told)


def _surroundings(question: Question) -> dict[str, Any]:
    """What people are shown of a case besides the case."""
    return {
        "revision": question.entry.decision.revision,
        "environment": {"host": socket.gethostname(), "process": os.getpid(), "user": _user()},
        "evidence": gather_evidence(question),
        "labels": question.entry.labels,
    }


def _user() -> str:
    """The name of the user that the process runs as."""
    try:
        import pwd  # noqa: PLC0415 - there is none on Windows

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME", "")
