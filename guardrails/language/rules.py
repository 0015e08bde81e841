"""The rules of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.document import Approval, Exemption, Rule, Subjects
from guardrails.language.expiry import parse_expiry, parse_timeout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.errors import Problem
    from guardrails.language.declarations import Draft
    from guardrails.language.document import Condition, Expiry
    from guardrails.language.linker import Linker, Scope
    from guardrails.language.yaml_tree import Tree

_EFFECTS: Mapping[str, Effect] = {str(effect): effect for effect in Effect}


def read_rules(draft: Draft, linker: Linker, problems: list[Problem]) -> tuple[Rule, ...]:
    """The rules of a document, their conditions linked; faults are added to `problems`.

    Rules in whose structure a fault was found already are left out.
    """
    reader = _RuleReader(draft, linker, problems)
    return tuple(map(reader.read, draft.sound("rules")))


class _RuleReader:
    """Reads the rules of one document."""

    def __init__(self, draft: Draft, linker: Linker, problems: list[Problem]) -> None:
        self.tree: Tree = draft.tree
        self.linker = linker
        self.problems = problems
        self.policy = draft.policy
        self.rules: list[dict[str, Any]] = draft.data.get("rules", [])
        self.observe = draft.data.get("mode") == "observe"
        self.controls = tuple(draft.data.get("controls", ()))
        self.first: dict[str, Any] = {}

    def read(self, index: int) -> Rule:
        """The rule at that index of the document."""
        data = self.rules[index]
        effect = _EFFECTS[data["effect"]]
        self._check(data, self.tree.value(self.rules, index), effect)
        tools, traits = data.get("tools"), data.get("traits")
        names = (tools,) if type(tools) is str else None if tools is None else tuple(tools)
        powers = None if traits is None else tuple(traits)
        scope = self.linker.scope(effect, names, powers)
        get = data.get
        return Rule(
            policy=self.policy,
            id=data["id"],
            effect=effect,
            tools=names,
            traits=powers,
            subjects=self._subjects(data),
            when=self._condition(data, "when", scope),
            unless=self._unless(data, scope, effect),
            approval=self._approval(data),
            message=get("message", ""),
            description=get("description", ""),
            controls=tuple(dict.fromkeys((*self.controls, *get("controls", ())))),
            severity=get("severity", ""),
            observe=get("mode") == "observe" if "mode" in data else self.observe,
            expires=self._expiry(data),
            span=self.tree.span(self.tree.value(self.rules, index)),
            places=self.tree.places(data),
        )

    def _check(self, data: dict[str, Any], event: Any, effect: Effect) -> None:
        if "tools" not in data and "traits" not in data:
            self._report(event, "the rule names neither `tools` nor `traits`")
        if "approval" in data and effect is not Effect.ESCALATE:
            message = f"`approval` goes with `effect: escalate` only, not with `{effect}`"
            self._report(self.tree.key(data, "approval"), message)
        id_event = self.tree.value(data, "id")
        first = self.first.setdefault(data["id"], id_event)
        if first is not id_event:
            line = first.start_mark.line + 1
            message = f"the rule id {quote(data['id'])} is used already, on line {line}"
            self._report(id_event, message)

    def _subjects(self, data: dict[str, Any]) -> Subjects | None:
        subjects = data.get("subjects")
        if subjects is None:
            return None
        if not subjects:
            event = self.tree.value(data, "subjects")
            self._report(event, "`subjects` names neither `ids` nor `roles`")
        ids, roles = subjects.get("ids"), subjects.get("roles")
        return Subjects(
            None if ids is None else tuple(ids), None if roles is None else tuple(roles)
        )

    def _condition(self, data: dict[str, Any], key: str, scope: Scope) -> Condition | None:
        if key not in data:
            return None
        event = self.tree.value(data, key)
        return self.linker.link(self.tree, data[key], event, scope, self.problems)

    def _unless(
        self, data: dict[str, Any], scope: Scope, effect: Effect
    ) -> Condition | tuple[Exemption, ...] | None:
        unless = data.get("unless")
        if type(unless) is not list:
            return self._condition(data, "unless", scope)
        if effect is Effect.ALLOW:
            message = "a list of exceptions goes with `escalate` and `deny`; write a condition"
            self._report(self.tree.key(data, "unless"), message)
        return tuple(self._exemptions(unless, scope))

    def _exemptions(self, unless: list[dict[str, Any]], scope: Scope) -> Iterator[Exemption]:
        for index, data in enumerate(unless):
            event = self.tree.value(unless, index)
            if "when" not in data and "subjects" not in data:
                self._report(event, "the exception names neither `when` nor `subjects`")
            expires = self._expiry(data)
            when, subjects = self._condition(data, "when", scope), self._subjects(data)
            if expires is not None:
                yield Exemption(data["reason"], expires, when, subjects, self.tree.span(event))

    def _approval(self, data: dict[str, Any]) -> Approval | None:
        approval = data.get("approval")
        if approval is None:
            return None
        timeout = None
        if "timeout" in approval:
            try:
                timeout = parse_timeout(approval["timeout"])
            except ValueError as error:
                self._report_value(approval, "timeout", error)
        return Approval(tuple(approval["from"]), approval.get("quorum", 1), timeout)

    def _expiry(self, data: dict[str, Any]) -> Expiry | None:
        if "expires" not in data:
            return None
        try:
            return parse_expiry(data["expires"])
        except ValueError as error:
            self._report_value(data, "expires", error)
            return None

    def _report_value(self, data: dict[str, Any], key: str, error: ValueError) -> None:
        self._report(self.tree.value(data, key), f"{quote(data[key])} is {error}")

    def _report(self, event: Any, message: str) -> None:
        self.problems.append(self.tree.problem(event, message))
