"""The budgets of rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.errors import EvaluationError
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import CALENDAR, SCOPES, Budget, Calendar, Condition
from guardrails.language.expiry import parse_timeout
from guardrails.language.linker import Types
from guardrails.spending import AMOUNT_MAX, read_amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.errors import Problem
    from guardrails.language.document import Tool
    from guardrails.language.draft import Part
    from guardrails.language.linker import Linker, Scope
    from guardrails.language.yaml_tree import Tree

_COST = Types(frozenset({"int", "uint", "double", "dyn"}), "a cost is a number")
_SCOPE = Types(
    frozenset({"string", "int", "uint", "bool", "dyn"}),
    "what shares a budget is told apart by text, whole numbers and booleans",
)
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_SPECIAL = re.compile(r"\(\?(?!:)").search
_FOREVER = ("session", "ever", "forever")


def read_budget(
    tree: Tree,
    rule: Part,
    effect: Effect | None,
    scope: Scope,
    linker: Linker,
    problems: list[Problem],
) -> Budget | None:
    """The `budget` of a rule, None where it has none; faults are added to `problems`."""
    if "budget" not in rule:
        return None
    if effect is Effect.ALLOW:
        message = (
            "a budget goes with `escalate` and `deny`: such a rule matches once the budget is"
            " used up; allow without it, and add a rule with `effect: deny` and this budget"
        )
        problems.append(tree.problem(tree.key(rule.data, "budget"), message))
    return _Reader(tree, rule.part("budget"), scope, linker, problems).read()


def pinned(tool: Tool | None, argument: str) -> bool:
    """Whether the schema of a tool's argument leaves one way to write each of its values.

    It does by `enum`, `const` or a `pattern` of the whole text, and for whole numbers and booleans.
    Of a tool that is not declared, or declared without arguments, nobody knows.
    """
    if tool is None or tool.arguments is None:
        return False
    schema = tool.arguments.properties.get(argument, False)
    for _ in tool.arguments.definitions:
        if type(schema) is dict and type(schema.get("$ref")) is str:
            schema = tool.arguments.definitions.get(schema["$ref"].removeprefix("#/$defs/"), {})
    if type(schema) is not dict:
        return schema is False  # no value at all may be given
    if schema.get("type") == "string" and _is_whole(schema.get("pattern", "")):
        return True
    if schema.get("type") in ("integer", "boolean"):
        return True  # of which every value can be written in one way only
    return not schema.keys().isdisjoint(("enum", "const"))


def _is_whole(pattern: str) -> bool:
    """Whether a pattern begins with `^` and ends with `$`, in each of its alternatives.

    One that is parted outside of groups, or has flags or looks around, counts as none.
    """
    atoms = _ATOM.findall(pattern)
    depth = 0
    for atom in atoms:
        depth += (atom == "(") - (atom == ")")
        if atom == "|" and depth == 0:
            return False
    return atoms[:1] == ["^"] and atoms[-1:] == ["$"] and not _SPECIAL(pattern)


class _Reader:
    """Reads one budget."""

    def __init__(
        self, tree: Tree, part: Part, scope: Scope, linker: Linker, problems: list[Problem]
    ) -> None:
        self.tree = tree
        self.part = part
        self.scope = scope
        self.linker = linker
        self.problems = problems

    def read(self) -> Budget | None:
        limit = self._amount("limit")
        cost = self._cost()
        per = self._per()
        scope = tuple(self._scopes())
        if limit is None:
            return None
        refunds = self.part.get("give_back") == "on_failure"
        return Budget(limit, cost, per, scope, refunds, self._per_text())

    def _amount(self, key: str) -> int | None:
        number = self.part.get(key)
        if number is None:
            return None
        if 0 <= number <= AMOUNT_MAX:
            return read_amount(number)
        event = self.tree.value(self.part.data, key)
        self._report(event, f"`{key}` must be a number from 0 to {AMOUNT_MAX:,}")
        return None

    def _cost(self) -> Condition | None:
        given = self.part.get("cost", 1)
        text = given if type(given) is str else repr(given)
        if "cost" not in self.part or (type(given) is not str and self._amount("cost") is None):
            return None
        return self._link(text, self.tree.value(self.part.data, "cost"), _COST)

    def _per(self) -> int | Calendar | None:
        per = self.part.get("per")
        if type(per) is dict:
            return self._calendar(self.part.part("per"))
        if per is None:
            return None
        try:
            return parse_timeout(per)
        except ValueError as error:
            hint = "; write it as `{day: Europe/Berlin}`" if per in CALENDAR else ""
            if per in _FOREVER:
                hint = "; leave `per` out for a budget that is never renewed"
                hint += ", and write `scope: session`" if per == "session" else ""
            event = self.tree.value(self.part.data, "per")
            self._report(event, f"{quote(per)} is {error}{hint}")
            return None

    def _calendar(self, per: Part) -> Calendar | None:
        if len(per.data) > 1:
            event = self.tree.value(self.part.data, "per")
            self._report(event, f"`per` names one of {', '.join(map(quote, CALENDAR))}, not more")
            return None
        from guardrails.language.cel.functions.time import (  # noqa: PLC0415 - few policies need it
            offset_of,
        )

        for unit in CALENDAR:
            if unit not in per:
                continue
            try:
                offset_of(per.get(unit))
            except EvaluationError:
                message = f"unknown time zone {quote(per.get(unit))}; write such as `Europe/Berlin`"
                self._report(self.tree.value(per.data, unit), message)
            else:
                return Calendar(unit, per.get(unit))
        return None

    def _per_text(self) -> str:
        per = self.part.get("per")
        if type(per) is dict:
            return ", ".join(f"{unit} of {zone}" for unit, zone in per.items())
        return "" if per is None else str(per)

    def _scopes(self) -> Iterator[str | Condition]:
        given = self.part.get("scope", [])
        if type(given) is str:
            yield from self._scope(given, self.tree.value(self.part.data, "scope"))
            return
        for index, text in self.part.texts("scope"):
            yield from self._scope(text, self.tree.value(given, index))

    def _scope(self, text: str, event: Any) -> Iterator[str | Condition]:
        if text in SCOPES:
            yield text
            return
        hint = did_you_mean(text, SCOPES) if text.isidentifier() else ""
        if hint:
            self._report(event, f"unknown scope {quote(text)}{hint}")
            return
        condition = self._link(text, event, _SCOPE)
        if condition is not None:
            self._check_arguments(condition, event)
            yield condition

    def _check_arguments(self, condition: Condition, event: Any) -> None:
        """Refuse what an agent could write in two ways, to have two budgets."""
        checked = condition.checked
        if "kinds" in checked.variables:
            message = "`kinds` can't share out a budget; name the argument: `arguments.to`"
            self._report(event, message)
        for variable, name in sorted(checked.selects):
            if variable != "arguments":
                continue
            if name == "*":
                self._report(event, "name the argument that shares out the budget: `arguments.to`")
                continue
            tools = self.scope.tools
            loose = [tool for tool in tools if not pinned(tool, name)]
            if loose or not (tools or self.problems):  # of which one may be that hides the tools
                of = f" of {quote(loose[0].name)}" if loose and loose[0] is not None else ""
                message = (
                    f"the schema of the argument {quote(name)}{of} has neither `enum` nor a"
                    ' `pattern` from `^` to `$`, so "ACME" and "ACME " would be two budgets;'
                    " declare one"
                )
                self._report(event, message)

    def _link(self, text: str, event: Any, wanted: Types) -> Condition | None:
        return self.linker.link(self.tree, text, event, self.scope, self.problems, wanted)

    def _report(self, event: Any, message: str) -> None:
        self.problems.append(self.tree.problem(event, message))
