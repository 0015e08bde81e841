"""Policy documents as frozen values, each part with its place in the file.

What stands here has been checked: names are well formed, conditions are typed, patterns valid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.language.offsets import locate
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.decision import Effect
    from guardrails.language.arguments import ArgumentsSchema
    from guardrails.language.cel.tree import Checked
    from guardrails.language.context import ContextSchema
    from guardrails.language.offsets import Segments
    from guardrails.language.rego.builder import Asked
    from guardrails.past import Step

TRAITS = (
    "read",
    "write",
    "destructive",
    "external",
    "communicate",
    "spend",
    "exec",
    "privileged",
    "spawn",
    "persist",
    "oversight",
)
"""The kinds of power a tool can have; fixed, so that a policy can name power, not tools."""

KINDS = ("recipient", "amount", "path", "url", "command", "target")
"""What an argument can be marked as, so that a policy need not know its name."""

PARTIES = ("requester", "owner")
"""The words of `separate_from` that stand for whoever they are when people are asked."""

SCOPES = ("subject", "session", "task", "tool")
"""Words for who shares a budget: who acts, the session, the outermost session, the tool."""

CALENDAR = ("hour", "day", "week", "month")
"""The units of the calendar with which a budget can begin anew."""

QUORUM_MAX = 100
"""The largest quorum: more people than any team has."""


class Span(NamedTuple):
    """A place in a policy file; `line` and `column` count from 1."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression of a policy: its text, where it stands and its typed tree.

    `segments` tell where in the file each part of the text stands, folded and quoted as it is.
    """

    source: str
    span: Span
    checked: Checked
    segments: Segments = field(repr=False)

    def place(self, offset: int) -> Span:
        """The place of the character at `offset` of the text."""
        line, column = locate(self.segments, offset)
        return Span(self.span.path, line, column)


@dataclass(frozen=True, slots=True)
class Expiry:
    """When something ends: `text` as written, `ends_ns` the first nanosecond (UTC) after it."""

    text: str
    ends_ns: int

    def passed(self, now_ns: int) -> bool:
        """Whether it has ended at `now_ns`, nanoseconds since 1970."""
        return now_ns >= self.ends_ns


@dataclass(frozen=True, slots=True)
class Subjects:
    """Who a rule concerns: patterns of ids and of roles; None where the rule doesn't say."""

    ids: tuple[str, ...] | None
    roles: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Exemption:
    """One named exception of a rule (`unless` as a list); it ends."""

    reason: str
    expires: Expiry
    when: Condition | None
    subjects: Subjects | None
    span: Span


DEFAULT_TIMEOUT_NS = 30 * 60 * NANOSECONDS
"""How long a request waits where its rule doesn't say: half an hour, as in the design's example."""


@dataclass(frozen=True, slots=True)
class Voters:
    """People of whom so many must approve: roles, and ids of persons."""

    names: tuple[str, ...]
    quorum: int


@dataclass(frozen=True, slots=True)
class Stage:
    """People who are asked as well once a request has waited for `after_ns` nanoseconds."""

    after_ns: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approval:
    """Who may approve what a rule escalates, how many of them, and within what time.

    Each of `groups` must reach its quorum. `timeout_ns` is in nanoseconds, None where the rule
    sets none. `stages` widen who may approve, in the order of their times. `separate_from` names
    whose vote doesn't count: `requester`, `owner`, roles and persons. `remember_ns` is how long
    one approval holds for the same call in the same session, None for once. With `veto` one
    denial ends it.
    """

    groups: tuple[Voters, ...]
    timeout_ns: int | None
    stages: tuple[Stage, ...] = ()
    separate_from: tuple[str, ...] = ()
    remember_ns: int | None = None
    veto: bool = True


@dataclass(frozen=True, slots=True)
class Review:
    """Who looks, after the fact, at what an allow rule let run, and within what time."""

    names: tuple[str, ...]
    within_ns: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """A budget that begins anew with each `unit` (hour, day, week, month) of the clocks of `zone`.

    Weeks begin on Monday.
    """

    unit: str
    zone: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What calls may spend before a rule matches them.

    `limit` is in units of `guardrails.spending`. `cost` is an expression, None for 1 each call.
    `per` is a calendar, or how many nanoseconds back spending counts, or None for ever. `scope` is
    who shares it: words of `SCOPES` and expressions; empty for all calls together. `refunds` says
    that a call that fails gives back what it spent.
    """

    limit: int
    cost: Condition | None
    per: int | Calendar | None
    scope: tuple[str | Condition, ...]
    refunds: bool
    per_text: str = ""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every expression of it."""
        parts = (self.cost, *self.scope)
        return tuple(each for each in parts if isinstance(each, Condition))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `observe` says that it only watches (until `expires`, for deny and escalate).

    It matches only where all of `after` has been in the session, in this order, and `not_before`
    has not. `suspends` says that whoever it denies something is stopped.
    `tools` and `traits` are None where the rule doesn't name them. `unless` is a condition, a
    list of exemptions, or None. With a `budget` it matches only what that can't
    bear. `places` maps a key of the rule to the place of its value. A rule of a Rego
    module has a `module`, which says how it is judged, and no conditions.
    """

    policy: str
    id: str
    effect: Effect
    tools: tuple[str, ...] | None
    traits: tuple[str, ...] | None
    subjects: Subjects | None
    when: Condition | None
    unless: Condition | tuple[Exemption, ...] | None
    budget: Budget | None
    approval: Approval | None
    review: Review | None
    message: str
    description: str
    controls: tuple[str, ...]
    severity: str
    observe: bool
    expires: Expiry | None
    span: Span
    places: Mapping[str, Span] = field(repr=False)
    after: tuple[Step, ...] = ()
    not_before: tuple[Step, ...] = ()
    suspends: bool = False
    module: Asked | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The full name, `policy/id`."""
        return f"{self.policy}/{self.id}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A declared tool: what it can touch. `traits` is None where not declared (or empty).

    `arguments` is None where the document declares none, so that any may be given. `returns` are
    the labels its result carries into the session, `mask` the arguments hidden in the log.
    """

    name: str
    policy: str
    description: str
    traits: tuple[str, ...] | None
    arguments: ArgumentsSchema | None
    returns: tuple[str, ...]
    mask: tuple[str, ...]
    span: Span
    places: Mapping[str, Span] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One policy file."""

    path: str
    policy: str
    description: str
    owner: str
    controls: tuple[str, ...]
    constants: Mapping[str, Any]
    tools: tuple[Tool, ...]
    rules: tuple[Rule, ...]
    places: Mapping[str, Span] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that was loaded from one folder, linked: what the engine is built from.

    `constants` is the one namespace over all documents, `tools` the manifest by name, `context`
    the declared facts (None where no document declares any), `revision` the digest of the files
    that were read. `tests` are the test files that were set aside, `unrecognised` those of a kind
    that is not read.
    """

    documents: tuple[Document, ...]
    constants: Mapping[str, Any]
    tools: Mapping[str, Tool]
    context: ContextSchema | None
    revision: str
    tests: tuple[str, ...] = ()
    unrecognised: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of every document."""
        return tuple(rule for document in self.documents for rule in document.rules)
