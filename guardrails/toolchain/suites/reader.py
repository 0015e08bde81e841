"""Test files -> suites, or every problem in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from guardrails.decision import Code, Effect
from guardrails.display import quote
from guardrails.errors import EvaluationError
from guardrails.instants import parse_timestamp
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.folder import REGO
from guardrails.language.validation import find_faults
from guardrails.language.yaml_reader import decode, read_yaml
from guardrails.language.yaml_tree import Fault
from guardrails.toolchain.suites.matrix import expand
from guardrails.toolchain.suites.scene import Scene, open_session, read_action, read_chain
from guardrails.toolchain.suites.structure import EXPECTATIONS, SUITE
from guardrails.toolchain.suites.suite import Case, Expected, Step, Suite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.action import SessionView
    from guardrails.errors import Problem
    from guardrails.language.document import Bundle
    from guardrails.language.folder import File
    from guardrails.language.validation import Path
    from guardrails.language.yaml_tree import Tree

_MISPLACED = ("policy",)  # the loader says more of it


@dataclass(frozen=True, slots=True)
class Known:
    """What tests may name: rules, policies, and the facts of the context (None for any).

    Of the policies `in_rego` results name rules too, by their `id`, so any may be.
    """

    rules: frozenset[str]
    facts: frozenset[str] | None
    policies: frozenset[str]
    in_rego: frozenset[str] = frozenset()

    def has_rule(self, name: str) -> bool:
        """Whether there is, or may be, a rule of that name."""
        return name in self.rules or name.partition("/")[0] in self.in_rego

    @classmethod
    def of(cls, bundle: Bundle) -> Known:
        """What the policies of `bundle` let tests name."""
        context = bundle.context
        facts = None if context is None else frozenset(context.facts)
        policies = frozenset(document.policy for document in bundle.documents)
        in_rego = frozenset(rule.policy for rule in bundle.rules if rule.module is not None)
        return cls(frozenset(rule.name for rule in bundle.rules), facts, policies, in_rego)


def read_suites(
    files: Iterable[File], bundle: Bundle | None
) -> tuple[tuple[Suite, ...], list[Problem]]:
    """The suites in test files in YAML, and every problem; with problems they are not whole.

    `bundle` are the policies that are tested, None where they don't load: then names are not
    checked.
    """
    problems: list[Problem] = []
    known = None if bundle is None else Known.of(bundle)
    suites = [
        _read_suite(file, known, problems) for file in files if not file.name.lower().endswith(REGO)
    ]
    return tuple(suite for suite in suites if suite is not None), problems


def _read_suite(file: File, known: Known | None, problems: list[Problem]) -> Suite | None:
    try:
        source = decode(file.path, file.data)
    except Fault as fault:
        problems.append(fault.problem)
        return None
    tree, found = read_yaml(source)
    problems += found
    if tree is None:
        return None
    expansion = expand(tree, problems)
    faults, broken = find_faults(expansion.tree, SUITE)
    if broken != {_MISPLACED}:
        problems += faults
    if () in broken:
        return None
    return _SuiteReader(expansion.tree, broken, known, problems).read(expansion.shown)


class _SuiteReader:
    """Reads the cases of one test file; `broken` are the faults of its structure."""

    def __init__(
        self, tree: Tree, broken: frozenset[Path], known: Known | None, problems: list[Problem]
    ) -> None:
        self.tree = tree
        self.known = known
        self.problems = problems
        self.fixtures = {} if ("fixtures",) in broken else tree.data.get("fixtures", {})
        self.broken_fixtures = {path[1] for path in broken if path[0] == "fixtures" and path[1:]}
        self.broken_cases = {path[1] for path in broken if path[0] == "cases" and path[1:]}
        self.cases = () if ("cases",) in broken else tree.data.get("cases", ())
        self.suite = str(tree.data.get("tests", ""))
        whole = Scene(tree) if ("now",) in broken else Scene(tree).at(tree.data)
        self.around = whole
        self.named: dict[str, Any] = {}

    def read(self, shown: tuple[str, ...]) -> Suite:
        """The suite; `shown` tells for each case which combination of its matrix it is."""
        found = [
            self._case(index, combination)
            for index, combination in enumerate(shown)
            if index not in self.broken_cases and self.cases
        ]
        policies = self._policies()
        whole = tuple(replace(case, policies=policies) for case in found if case is not None)
        return Suite(self.suite, self.tree.source.path, whole)

    def _case(self, index: int, combination: str) -> Case | None:
        data = self.cases[index]
        event = self.tree.value(self.cases, index)
        self._claim(data)
        name = f"{data['name']} [{combination}]" if combination else data["name"]
        if not self._is_one_kind(data, event):
            return None
        scene = self._scene(data, self.around)
        span = self.tree.span(event)
        if scene is None:
            return None
        if "action" in data:
            step = self._step(data, scene, event)
            return None if step is None else Case(self.suite, name, span, (step,))
        steps = [
            self._inner_step(step, scene, self.tree.value(data["steps"], number))
            for number, step in enumerate(data["steps"])
        ]
        opening = self._opening(scene, event)
        sound = tuple(step for step in steps if step is not None)
        if opening is None or len(sound) < len(steps):
            return None
        return Case(self.suite, name, span, sound, opening, _said(data))

    def _policies(self) -> tuple[str, ...]:
        """The policies whose rules the cases are judged by, empty for all."""
        given = self.tree.data.get("policies", [])
        if type(given) is not list or not all(type(name) is str for name in given):
            return ()
        for index, name in enumerate(given):
            if self.known is not None and name not in self.known.policies:
                hint = did_you_mean(name, self.known.policies)
                self._report(self.tree.value(given, index), f"unknown policy {quote(name)}{hint}")
        return tuple(sorted(set(given)))

    def _claim(self, data: dict[str, Any]) -> None:
        """Refuse a name that another case of the suite has: combinations share theirs."""
        event = self.tree.value(data, "name")
        first = self.named.setdefault(data["name"], event)
        if first is not event:
            line = first.start_mark.line + 1
            message = f"the name {quote(data['name'])} is used already, on line {line}"
            self._report(event, message)

    def _is_one_kind(self, data: dict[str, Any], event: Any) -> bool:
        """Whether a case has an action or steps, and what goes with it."""
        if ("action" in data) is ("steps" in data):
            both = "action" in data
            message = "the case has both `action` and `steps`; make it two cases"
            self._report(event, message if both else "the case has neither `action` nor `steps`")
            return False
        misplaced = [key for key in EXPECTATIONS if key in data] if "steps" in data else []
        for key in misplaced:
            message = f"`{key}` goes with each step where a case has `steps`"
            self._report(self.tree.key(data, key), message)
        return not misplaced

    def _inner_step(self, data: dict[str, Any], around: Scene, event: Any) -> Step | None:
        scene = self._scene(data, around)
        if scene is None:
            return None
        own = scene.layers[: -len(around.layers) or None]
        if any("session" in layer for layer in own if layer is not data):
            message = "the steps share one session; its fixture is `given` to the case"
            self._report(self.tree.key(data, "given"), message)
        step = self._step(data, scene, event, shared=True)
        if step is None or "session" not in data:
            return step
        opening = self._opening(scene.over(data["action"]), event)
        return None if opening is None else replace(step, elsewhere=_rename(opening, data))

    def _step(
        self, data: dict[str, Any], scene: Scene, event: Any, *, shared: bool = False
    ) -> Step | None:
        """The step that a case or an item of `steps` is; its session is the case's if `shared`."""
        time = self._time(scene)
        whole = scene.over(data["action"])
        facts = None if self.known is None else self.known.facts
        place = self.tree.value(data, "action")
        action = read_action(whole, place, facts, self.problems, shared=shared)
        expected = self._expected(data)
        if action is None:
            return None
        ending = {key: data.get(key, False) for key in ("fails", "approved")}
        said, output = _said(data), data.get("output")
        return Step(
            action, time, expected, self.tree.span(event), said=said, output=output, **ending
        )

    def _scene(self, data: dict[str, Any], scene: Scene) -> Scene | None:
        """`scene` with the fixtures that `data` is given merged over it."""
        given = data.get("given", ())
        names = [given] if type(given) is str else given
        for number, name in enumerate(names):
            if name not in self.fixtures:
                holder, key = (data, "given") if type(given) is str else (given, number)
                event = self.tree.value(holder, key)
                message = f"unknown fixture {quote(name)}{did_you_mean(name, self.fixtures)}"
                self._report(event, message)
                return None
            if name in self.broken_fixtures:
                return None
            scene = scene.over(self.fixtures[name])
        return scene.at(data)

    def _opening(self, scene: Scene, event: Any) -> SessionView | None:
        """The session that the steps of a case share, as it begins."""
        chain = read_chain(scene, event, self.problems)
        if chain is None:
            return None
        session = scene.data.get("session", {})
        return open_session(session, chain)

    def _expected(self, data: dict[str, Any]) -> Expected:
        get = data.get
        return Expected(
            effect=_EFFECTS[get("expect", "deny")],
            rules=self._rules(data["rules"]) if "rules" in data else None,
            errors=self._rules(data["errors"]) if "errors" in data else None,
            code=Code(data["code"]) if "code" in data else None,
            message=get("message"),
            would=_EFFECTS[data["would"]] if "would" in data else None,
            suspends=get("suspends"),
        )

    def _rules(self, names: list[str]) -> tuple[str, ...]:
        for index, name in enumerate(names):
            if self.known is not None and not self.known.has_rule(name):
                hint = did_you_mean(name, self.known.rules)
                hint = hint or "; a rule is named `policy/id`"
                self._report(self.tree.value(names, index), f"unknown rule {quote(name)}{hint}")
        return tuple(sorted(set(names)))

    def _time(self, scene: Scene) -> int | None:
        text = scene.data.get("now")
        if text is None:
            return None
        try:
            return parse_timestamp(text).ns
        except EvaluationError as error:
            event = self.tree.value(scene.holder("now"), "now")
            self._report(event, f"{quote(text)} is no time: {error}")
            return None

    def _report(self, event: Any, message: str) -> None:
        self.problems.append(self.tree.problem(event, message))


def _said(data: dict[str, Any]) -> tuple[str, ...]:
    said = data.get("user_said", ())
    return (said,) if type(said) is str else tuple(said)


def _rename(opening: SessionView, data: dict[str, Any]) -> SessionView:
    return opening._replace(id=data["session"])


_EFFECTS = {str(effect): effect for effect in Effect}
