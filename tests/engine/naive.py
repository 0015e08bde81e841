"""The semantics of the design written down once more, slowly: the oracle of the fast engine.

It knows no index, no plan and no cache: it looks at every rule of every document, for every
member of the chain, in the words of the design. Only single conditions are evaluated by the
compiler, which has an oracle of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.errors import EvaluationError
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.document import Condition
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from guardrails.action import Action, SessionView, Subject
    from guardrails.engine import Facts
    from guardrails.language.document import Bundle, Rule, Subjects, Tool

STRICTNESS = {"allow": 1, "escalate": 2, "deny": 3}


class Verdict(NamedTuple):
    """A decision in plain words, to be compared with a `Decision`."""

    effect: str
    code: str
    matches: list[tuple[str, str, bool, bool]]
    errors: list[tuple[str, str, bool]]
    would: str


class World:
    """The variables of a condition for one member of the chain."""

    def __init__(
        self, bundle: Bundle, action: Action, facts: Facts, member: Subject | None
    ) -> None:
        self.steps = 10**9
        self._bundle, self._action, self._facts, self._member = bundle, action, facts, member
        self.tool = action.tool
        self.constants = dict(bundle.constants)
        self.now = Timestamp(facts.now_ns)
        given = {**(action.context or {}), **(facts.context or {})}
        self.context = bundle.context.admit(given) if bundle.context else given

    @property
    def _session(self) -> SessionView | None:
        return self._facts.session or self._action.session

    @property
    def traits(self) -> list[str]:
        tool = self._bundle.tools.get(self.tool)
        if tool is None or not tool.traits:
            raise EvaluationError("unknown")
        return list(tool.traits)

    @property
    def subject(self) -> dict[str, Any]:
        if self._member is None:
            raise EvaluationError("unknown")
        return {
            "id": self._member.id,
            "roles": list(self._member.roles),
            "on_behalf_of": self._member.on_behalf_of,
            "chain": [each.id for each in chain_of(self._action, self._facts)],
            "attributes": dict(self._member.attributes),
        }

    @property
    def session(self) -> dict[str, Any]:
        session = self._session
        if session is None:
            raise EvaluationError("unknown")
        return {"id": session.id, "labels": sorted(session.labels)}


def decide(bundle: Bundle, action: Action, facts: Facts) -> Verdict:
    """Return the decision over a well-formed action without declared argument schemas."""
    members = chain_of(action, facts) or [None]
    verdicts = [judge(bundle, action, facts, member) for member in members]
    strictest = max(STRICTNESS[each.effect] for each in verdicts)
    decisive = [each for each in verdicts if STRICTNESS[each.effect] == strictest]
    ruled = [each for each in decisive if each.code == "rule"] or decisive
    matches = {match[0]: match for each in decisive for match in each.matches}
    for each in decisive:
        matches |= {match[0]: match for match in each.matches if match[3]}
    errors = {error[0]: error for each in decisive for error in each.errors}
    would = max((each.would for each in verdicts), key=STRICTNESS.__getitem__)
    return Verdict(
        decisive[0].effect, ruled[0].code, sorted(matches.values()), sorted(errors.values()), would
    )


def chain_of(action: Action, facts: Facts) -> list[Any]:
    session = facts.session or action.session
    chain = list(session.chain) if session else []
    if action.subject is not None and chain[-1:] != [action.subject]:
        chain.append(action.subject)
    return chain


def judge(bundle: Bundle, action: Action, facts: Facts, member: Subject | None) -> Verdict:
    tool = bundle.tools.get(action.tool)
    matches, errors = [], []
    for rule in bundle.rules:
        if not selects(rule, action.tool, tool):
            continue
        if rule.subjects is not None and not means(rule, rule.subjects, member):
            continue
        state = condition_of(rule, World(bundle, action, facts, member), action, facts, member)
        observed = rule.observe and not (rule.expires and rule.expires.passed(facts.now_ns))
        if state == "error" and rule.effect.name == "ALLOW":
            errors.append((rule.name, "allow", observed))
        elif state in ("yes", "error"):
            matches.append((rule.name, str(rule.effect), observed, state == "error"))
    enforced = [match[1] for match in matches if not match[2]]
    effect, code = conclude(bundle, action.tool, enforced, facts, observing=False)
    would, _ = conclude(bundle, action.tool, [match[1] for match in matches], facts, observing=True)
    return Verdict(effect, code, matches, errors, would)


def selects(rule: Rule, name: str, tool: Tool | None) -> bool:
    allow = rule.effect.name == "ALLOW"
    if rule.tools is not None:
        exact = name in rule.tools
        covered = any(
            re.fullmatch(".*".join(map(re.escape, each.split("*"))), name, re.DOTALL)
            for each in rule.tools
        )
        if not covered or (allow and tool is None and not exact):
            return False
    elif allow and tool is None:
        return False
    if rule.traits is None:
        return True
    if tool is None or not tool.traits:
        return not allow
    if allow:
        return all(trait in rule.traits for trait in tool.traits)
    return any(trait in rule.traits for trait in tool.traits)


def means(
    rule: Rule, subjects: Subjects, member: Subject | None, *, excepting: bool = False
) -> bool:
    if member is None:
        return rule.effect.name != "ALLOW" and not excepting

    def fits(patterns: tuple[str, ...] | None, names: list[str]) -> bool:
        return patterns is None or any(
            re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL)
            for pattern in patterns
            for name in names
        )

    return fits(subjects.ids, [member.id]) and fits(subjects.roles, list(member.roles))


def value_of(condition: Condition | None, world: World, action: Action) -> str:
    if condition is None:
        return "yes"
    try:
        value = compile_condition(condition.checked)(dict(action.arguments or {}), world)
    except EvaluationError:
        return "error"
    return {True: "yes", False: "no"}[value] if type(value) is bool else "error"


def condition_of(
    rule: Rule, world: World, action: Action, facts: Facts, member: Subject | None
) -> str:
    allow = rule.effect.name == "ALLOW"
    if allow and rule.expires and rule.expires.passed(facts.now_ns):
        return "no"
    when = value_of(rule.when, world, action)
    if when == "no" or (allow and when == "error"):
        return when
    excepted = exception_of(rule, world, action, facts, member)
    if excepted == "yes":
        return "no"
    return "error" if "error" in (when, excepted) else "yes"


def exception_of(
    rule: Rule, world: World, action: Action, facts: Facts, member: Subject | None
) -> str:
    if rule.unless is None:
        return "no"
    if isinstance(rule.unless, Condition):
        return value_of(rule.unless, world, action)
    states = [
        value_of(each.when, world, action)
        for each in rule.unless
        if not each.expires.passed(facts.now_ns)
        and (each.subjects is None or means(rule, each.subjects, member, excepting=True))
    ]
    return next((state for state in ("yes", "error") if state in states), "no")


def conclude(
    bundle: Bundle, tool: str, effects: list[str], facts: Facts, *, observing: bool
) -> tuple[str, str]:
    if "deny" in effects:
        return "deny", "rule"
    sanctioned = tool in bundle.tools or any(
        rule.effect.name != "DENY"
        and tool in (rule.tools or ())
        and selects(rule, tool, None)
        and not (rule.expires and rule.effect.name == "ALLOW" and rule.expires.passed(facts.now_ns))
        and (
            observing
            or not rule.observe
            or (rule.expires is not None and rule.expires.passed(facts.now_ns))
        )
        for rule in bundle.rules
    )
    if not sanctioned:
        return "deny", "undeclared"
    if not effects:
        return "deny", "no_match"
    return max(effects, key=STRICTNESS.__getitem__), "rule"
