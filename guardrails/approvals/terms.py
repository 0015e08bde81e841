"""The terms on which people decide: who, how many, by when, and who may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.language.document import DEFAULT_TIMEOUT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

QUORUM_MAX = 100
"""The largest quorum: more voters than any team has, and few enough to count at once."""

REQUESTER, OWNER = "requester", "owner"
"""The two words of `separate_from` that stand for whoever they are in the request at hand."""


@dataclass(frozen=True, slots=True)
class Group:
    """Voters of whom `quorum` different people must agree; each names a group or a person."""

    voters: tuple[str, ...]
    quorum: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.quorum <= QUORUM_MAX:
            msg = f"a quorum is 1 to {QUORUM_MAX}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Stage:
    """Voters who join every group of the terms once a request is `after_ns` old."""

    after_ns: int
    voters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What one escalating rule asks for.

    Every group must reach its quorum; without any group nobody can approve. Times are in
    nanoseconds. `separate_from` names who may not vote, beyond the agent and the person it acts
    for, who never may: `requester`, `owner`, groups, people. For `remember_ns` after the last vote
    the approval serves the same digest in the same session again; None: once. `veto` says that one
    denial ends it; else a denial takes a quorum, as an approval does.
    """

    groups: tuple[Group, ...] = ()
    timeout_ns: int = DEFAULT_TIMEOUT_NS
    then: tuple[Stage, ...] = ()
    separate_from: tuple[str, ...] = ()
    remember_ns: int | None = None
    veto: bool = True

    @classmethod
    def any_of(cls, voters: Iterable[str], quorum: int = 1, **others: Any) -> Terms:
        """The terms under which `quorum` of all `voters` together decide."""
        return cls((Group(tuple(voters), quorum),), **others)

    def voters_at(self, group: Group, age_ns: int) -> tuple[str, ...]:
        """Who may vote in `group` when the request is `age_ns` old."""
        joined = (stage.voters for stage in self.then if age_ns >= stage.after_ns)
        return group.voters + tuple(voter for voters in joined for voter in voters)

    def as_json(self) -> dict[str, Any]:
        """The terms in the plain form that is stored and that the digest covers."""
        return {
            "groups": [[list(group.voters), group.quorum] for group in self.groups],
            "timeout_ns": self.timeout_ns,
            "then": [[stage.after_ns, list(stage.voters)] for stage in self.then],
            "separate_from": list(self.separate_from),
            "remember_ns": self.remember_ns,
            "veto": self.veto,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Terms:
        """The terms of their plain form; raises KeyError, TypeError or ValueError for another."""
        return cls(
            tuple(Group(tuple(voters), quorum) for voters, quorum in form["groups"]),
            form["timeout_ns"],
            tuple(Stage(after_ns, tuple(voters)) for after_ns, voters in form["then"]),
            tuple(form["separate_from"]),
            form["remember_ns"],
            form["veto"],
        )


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """An escalating rule as approvers see it: its full name, its words, its terms.

    `description` is for approvers and auditors, `message` is what the agent was told, `owner` is
    that of the rule's document.
    """

    rule: str
    terms: Terms
    description: str = ""
    message: str = ""
    owner: str = ""

    def as_json(self) -> dict[str, Any]:
        """The rule in the plain form that is stored and that the digest covers."""
        return {
            "rule": self.rule,
            "terms": self.terms.as_json(),
            "description": self.description,
            "message": self.message,
            "owner": self.owner,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> RuleTerms:
        """The rule of its plain form; raises KeyError, TypeError or ValueError for another."""
        terms = Terms.from_json(form["terms"])
        return cls(form["rule"], terms, form["description"], form["message"], form["owner"])


def timeout_of(rules: Iterable[RuleTerms]) -> int:
    """How long a request under all of `rules` may wait, in nanoseconds: the shortest of them."""
    return min((rule.terms.timeout_ns for rule in rules), default=DEFAULT_TIMEOUT_NS)


def remember_of(rules: Iterable[RuleTerms]) -> int | None:
    """How long an approval under all of `rules` serves again, or None for once."""
    spans = [rule.terms.remember_ns for rule in rules]
    known = [span for span in spans if span is not None]
    return min(known) if known and len(known) == len(spans) else None


def covers(approved: Iterable[RuleTerms], now: Iterable[RuleTerms]) -> bool:
    """Whether no rule escalates `now` that was not `approved` with the very same terms."""
    known = frozenset(approved)
    return all(rule in known for rule in now)
