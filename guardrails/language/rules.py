"""The rules of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.budgets import read_budget
from guardrails.language.document import Exemption, Rule, Subjects
from guardrails.language.expiry import parse_expiry
from guardrails.language.history import read_after, read_not_before
from guardrails.language.people import read_approval, read_review
from guardrails.language.structure import EXEMPTION, RULE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.errors import Problem
    from guardrails.language.document import Condition, Expiry
    from guardrails.language.draft import Draft, Part
    from guardrails.language.linker import Linker, Scope
    from guardrails.language.yaml_tree import Tree

_EFFECTS: Mapping[str | None, Effect] = {str(effect): effect for effect in Effect}
_SELECTORS = ("tools", "traits")
_KNOWN = RULE["schema"].keys() | EXEMPTION["schema"].keys()
_GOES_WITH: Mapping[str, Effect] = {
    "approval": Effect.ESCALATE,
    "review": Effect.ALLOW,
    "on_match": Effect.DENY,
}


def read_rules(draft: Draft, linker: Linker, problems: list[Problem]) -> tuple[Rule, ...]:
    """The rules of a document, their conditions linked; faults are added to `problems`.

    Rules without an id or an effect are left out, since a fault in them has been found already.
    """
    reader = _RuleReader(draft, linker, problems)
    rules = (reader.read(index, part) for index, part in draft.root.parts("rules"))
    return tuple(rule for rule in rules if rule is not None)


class _RuleReader:
    """Reads the rules of one document."""

    def __init__(self, draft: Draft, linker: Linker, problems: list[Problem]) -> None:
        self.tree: Tree = draft.tree
        self.linker = linker
        self.problems = problems
        self.policy = draft.policy
        self.rules = draft.root.data.get("rules")
        self.observe = draft.root.get("mode") == "observe"
        self.controls = draft.root.names("controls")
        self.first: dict[str, Any] = {}

    def read(self, index: int, part: Part) -> Rule | None:
        """The rule at that index of the document; None where it has no id or no effect."""
        event = self.tree.value(self.rules, index)
        effect = _EFFECTS.get(part.get("effect"))
        self._check(part, event, effect)
        tools = part.get("tools")
        names = (tools,) if type(tools) is str else part.names("tools") or None
        powers = part.names("traits") or None
        scope = self._scope(part, effect, names, powers)
        subjects = self._subjects(part)
        when = self._condition(part, "when", scope)
        unless = self._unless(part, scope, effect)
        budget = read_budget(self.tree, part, effect, scope, self.linker, self.problems)
        approval = read_approval(self.tree, part, self.problems)
        review = read_review(self.tree, part, self.problems)
        after = read_after(self.tree, part, self.linker, self.problems)
        not_before = read_not_before(self.tree, part, effect, self.linker, self.problems)
        expires = self._expiry(part)
        if effect is None or "id" not in part:
            return None
        get = part.get
        return Rule(
            policy=self.policy,
            id=get("id"),
            effect=effect,
            tools=names,
            traits=powers,
            subjects=subjects,
            when=when,
            unless=unless,
            budget=budget,
            approval=approval,
            review=review,
            message=get("message", ""),
            description=get("description", ""),
            controls=tuple(dict.fromkeys((*self.controls, *part.names("controls")))),
            severity=get("severity", ""),
            observe=get("mode") == "observe" if "mode" in part else self.observe,
            expires=expires,
            span=self.tree.span(event),
            places=self.tree.places(part.data),
            after=after,
            not_before=not_before,
            suspends=get("on_match") == "suspend",
        )

    def _check(self, part: Part, event: Any, effect: Effect | None) -> None:
        if not part.may_have(*_SELECTORS, known=_KNOWN):
            self._report(event, "the rule names neither `tools` nor `traits`")
        for key, fitting in _GOES_WITH.items():
            if key in part.data and effect not in (None, fitting):
                message = f"`{key}` goes with `effect: {fitting}` only, not with `{effect}`"
                self._report(self.tree.key(part.data, key), message)
        if "id" in part:
            self._check_id(part.data)

    def _check_id(self, data: dict[str, Any]) -> None:
        event = self.tree.value(data, "id")
        first = self.first.setdefault(data["id"], event)
        if first is not event:
            line = first.start_mark.line + 1
            message = f"the rule id {quote(data['id'])} is used already, on line {line}"
            self._report(event, message)

    def _scope(
        self,
        part: Part,
        effect: Effect | None,
        names: tuple[str, ...] | None,
        powers: tuple[str, ...] | None,
    ) -> Scope:
        """What the conditions are checked against: as much as is certain of what it can match."""
        uncertain = part.doubtful(*_SELECTORS) or (effect is None and powers is not None)
        if uncertain or (names is None and powers is None):
            return self.linker.unbounded
        return self.linker.scope(effect or Effect.ALLOW, names, powers)

    def _subjects(self, part: Part) -> Subjects | None:
        if "subjects" not in part:
            return None
        subjects = part.part("subjects")
        if not subjects.data:
            event = self.tree.value(part.data, "subjects")
            self._report(event, "`subjects` names neither `ids` nor `roles`")
        return Subjects(subjects.names("ids") or None, subjects.names("roles") or None)

    def _condition(self, part: Part, key: str, scope: Scope) -> Condition | None:
        if key not in part or part.cut_short(_KNOWN):
            return None
        event = self.tree.value(part.data, key)
        return self.linker.link(self.tree, part.data[key], event, scope, self.problems)

    def _unless(
        self, part: Part, scope: Scope, effect: Effect | None
    ) -> Condition | tuple[Exemption, ...] | None:
        if type(part.get("unless")) is not list:
            return self._condition(part, "unless", scope)
        if effect is Effect.ALLOW:
            message = "a list of exceptions goes with `escalate` and `deny`; write a condition"
            self._report(self.tree.key(part.data, "unless"), message)
        unless = part.data["unless"]
        return tuple(
            exemption
            for index, each in part.parts("unless")
            for exemption in self._exemption(each, self.tree.value(unless, index), scope)
        )

    def _exemption(self, part: Part, event: Any, scope: Scope) -> Iterator[Exemption]:
        """The exception, or nothing where it lacks a reason or an end."""
        if not part.may_have("when", "subjects", known=_KNOWN):
            self._report(event, "the exception names neither `when` nor `subjects`")
        expires = self._expiry(part)
        when, subjects = self._condition(part, "when", scope), self._subjects(part)
        if expires is not None and "reason" in part:
            yield Exemption(part.get("reason"), expires, when, subjects, self.tree.span(event))

    def _expiry(self, part: Part) -> Expiry | None:
        if "expires" not in part:
            return None
        try:
            return parse_expiry(part.get("expires"))
        except ValueError as error:
            self._report_value(part.data, "expires", error)
            return None

    def _report_value(self, data: dict[str, Any], key: str, error: ValueError) -> None:
        self._report(self.tree.value(data, key), f"{quote(data[key])} is {error}")

    def _report(self, event: Any, message: str) -> None:
        self.problems.append(self.tree.problem(event, message))
