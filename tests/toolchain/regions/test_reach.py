"""What is said to be possible or not, against what the engine does."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.action import Action, SessionView, Subject
from guardrails.engine import Facts, PolicySet
from guardrails.language.loader import load_texts
from guardrails.toolchain.regions import Reach
from guardrails.toolchain.regions.formula import Within, negate
from guardrails.toolchain.regions.region import MISSING, exactly

if TYPE_CHECKING:
    from guardrails.decision import Decision
    from guardrails.language.document import Bundle, Rule
    from guardrails.toolchain.regions.formula import Formula

NOW = 1_780_000_000 * 10**9  # 2026-05-28

SCHEMAS: dict[str, Any] = {
    "env": {"enum": ["dev", "prod"]},
    "level": {"type": "integer", "minimum": 1, "maximum": 3},
    "force": {"type": "boolean"},
    "amount": {"type": "number", "minimum": 0},
    "name": {"type": "string"},
    "any": {},
    "tags": {"type": "array", "items": {"type": "string"}},
    "deep": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"enum": ["x", "y"]}},
        "required": ["b"],
        "additionalProperties": False,
    },
    "either": {"oneOf": [{"type": "integer"}, {"const": "auto"}]},
}
VALUES: dict[str, list[Any]] = {
    "env": ["dev", "prod"],
    "level": [1, 2, 3],
    "force": [True, False],
    "amount": [0, 0.5, 5, 5.0, 7.25, 10.0],
    "name": ["", "a", "a\0", "ab", "b", "10", "9"],
    "any": [None, True, 5, 5.0, "a", "ab", [], ["a"], {}, {"a": 1}, b"a"],
    "tags": [[], ["a"], ["b", "a"]],
    "deep": [{"b": "x"}, {"a": 1, "b": "y"}, {"a": 5, "b": "x"}],
    "either": [4, 6, "auto"],
}
ATOMS = [
    "true",
    'arguments.env == "dev"',
    'arguments.env in ["prod", "test"]',
    'arguments.env.startsWith("p")',
    'arguments["env"] != "dev"',
    "arguments.level > 1",
    "2 >= arguments.level",
    "arguments.level == 2.0",
    "arguments.level in [1, 3]",
    "arguments.level * 2 > 3",
    "arguments.force",
    "arguments.force == false",
    "arguments.amount > 5",
    "arguments.amount <= 5.0",
    "arguments.amount < arguments.level",
    "arguments.level > arguments.amount",
    'arguments.name < "ab"',
    'arguments.name >= "a"',
    'arguments.name.startsWith("a")',
    'arguments.name.endsWith("b")',
    "size(arguments.name) > 1",
    "size(arguments.name) > 0",
    "has(arguments.any)",
    "arguments.any == 5",
    'arguments.any != "a"',
    'arguments.any in ["a", 5, null]',
    "arguments.any > 4",
    'arguments.any in {"a": 1, "b": 2}',
    'arguments.any in {1: "x"}',
    'arguments.any in [5, ["a"]]',
    'arguments.any == ["a"]',
    'arguments.any != ["a"]',
    "arguments.level > 1 / 0",
    "arguments.level in [1 / 0]",
    "arguments.amount < 0.0 / 0.0",
    "arguments.name.startsWith(arguments.env)",
    "arguments.amount > arguments.deep.a",
    '["dev", "x"].exists(e, e == arguments.env && e != arguments.deep.b)',
    "arguments.any",
    "type(arguments.any) == string",
    "has(arguments.tags)",
    '"a" in arguments.tags',
    'arguments.tags.all(t, t == "a")',
    "arguments.tags == []",
    "has(arguments.deep)",
    "'any' in arguments",
    "'a' in arguments.deep",
    "has(arguments.deep.a)",
    "arguments.deep.a > 2",
    'arguments.deep.b == "x"',
    'arguments.either == "auto"',
    "arguments.either > 5",
    "has(arguments.name)",
    'tool == "run"',
    '"write" in traits',
    "arguments.level < constants.limit",
    'subject.id == "a"',
    '"boss" in subject.roles',
    'has(subject.attributes.team) && subject.attributes.team == "x"',
    'session.id == "s"',
    '"secret" in session.labels',
    'context.place == "home"',
    "has(context.place)",
    "kinds.amount.exists(x, x > 6)",
    "has(kinds.path)",
    'now < timestamp("2026-01-01T00:00:00Z")',
    'now < timestamp("2027-01-01T00:00:00Z")',
    'local(now, "Europe/Berlin").weekday in ["Sat", "Sun"]',
    'local(now, "UTC").time < "12:00"',
    'local(now, "UTC").time >= "12:00"',
]


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    join = st.sampled_from(["&&", "||"])
    return (
        st.builds("({} {} {})".format, inner, join, inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    )


conditions = st.recursive(st.sampled_from(ATOMS), _combined, max_leaves=5)
subjects = st.fixed_dictionaries(
    {},
    optional={
        "ids": st.lists(st.sampled_from(["a", "b", "a*", "*c"]), min_size=1, max_size=2),
        "roles": st.lists(st.sampled_from(["boss", "b*", "clerk"]), min_size=1, max_size=2),
    },
).filter(bool)
exemptions = st.lists(
    st.fixed_dictionaries(
        {"reason": st.just("r"), "expires": st.sampled_from(["2026-01-01", "2026-07-01"])},
        optional={"when": conditions, "subjects": subjects},
    ).filter(lambda item: "when" in item or "subjects" in item),
    min_size=1,
    max_size=2,
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "effect": draw(st.sampled_from(["allow", "escalate", "deny"])),
        "tools": "run",
        "when": draw(conditions),
    }
    kind = draw(st.integers(0, 5))
    if kind == 0:
        rule["unless"] = draw(conditions)
    elif kind == 1 and rule["effect"] != "allow":
        rule["unless"] = draw(exemptions)
    if draw(st.integers(0, 3)) == 0:
        rule["subjects"] = draw(subjects)
    if draw(st.integers(0, 5)) == 0:
        rule["expires"] = draw(st.sampled_from(["2026-01-01", "2026-07-01"]))
    return rule


def bundle_of(rules: list[dict[str, Any]], required: list[str], *, declared: bool = True) -> Bundle:
    tool: dict[str, Any] = {"traits": ["write"]}
    if declared:
        marked = {**SCHEMAS, "amount": {**SCHEMAS["amount"], "kind": "amount"}}
        tool |= {"arguments": marked, "required": required}
    document = {
        "version": 1,
        "policy": "p",
        "constants": {"limit": 3},
        "context": {"place": {"enum": ["home", "work"]}},
        "tools": {"run": tool},
        "rules": [{"id": f"r{number}", **rule} for number, rule in enumerate(rules)],
    }
    return load_texts({"p.yaml": json.dumps(document)})


arguments = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}
)
people = st.none() | st.tuples(
    st.sampled_from(["a", "b", "cc"]),
    st.lists(st.sampled_from(["boss", "clerk", "bee"]), max_size=2, unique=True),
    st.sampled_from([{}, {"team": "x"}]),
).map(lambda parts: Subject(parts[0], parts[1], attributes=parts[2]))
sessions = st.sampled_from(
    [None, SessionView("s"), SessionView("t"), SessionView("s", frozenset({"secret"}))]
)
contexts = st.sampled_from([{}, {"place": "home"}, {"place": "work"}, {"place": "moon"}])
moments = st.integers(0, 400).map(lambda days: NOW + days * 86_400 * 10**9 + 1)


def observed(reach: Reach, rule: Rule, *, matched: bool) -> Formula:
    formula = reach.match(rule, "run")
    return formula if matched else negate(formula)


@given(
    st.lists(rules(), min_size=1, max_size=3),
    st.lists(st.sampled_from(sorted(SCHEMAS)), unique=True),
    st.booleans(),
    st.lists(st.tuples(arguments, people, sessions, contexts, moments), min_size=4, max_size=8),
)
@settings(deadline=None, max_examples=150)
def test_nothing_that_the_engine_does_is_called_impossible(
    given_rules: list[dict[str, Any]],
    required: list[str],
    declared: bool,
    calls: list[Any],
) -> None:
    bundle = bundle_of(given_rules, required, declared=declared)
    policies, reach = PolicySet(bundle), Reach(bundle, NOW)
    for given_values, subject, session, context, now in calls:
        values = {name: VALUES[name][0] for name in required} | given_values
        action = Action("run", values, subject, context, session)
        decision = policies.decide(action, Facts(now))
        if decision.code == "invalid_arguments":
            continue
        matched = {match.rule for match in decision.matches}
        formulas = [observed(reach, each, matched=each.name in matched) for each in bundle.rules]
        assert not reach.impossible("run", *formulas), (values, matched)
        for one, other in itertools.permutations(bundle.rules, 2):
            if one.name in matched and other.name not in matched:
                assert not reach.implies(one, other, "run")
                assert reach.form(one, "run") != reach.form(other, "run")
        for rule in bundle.rules:
            check_what_if(reach, rule, decision, point_values(bundle, values))
        point = point_of(reach, bundle, values, now, subject, context)
        assert not reach.impossible("run", *formulas, *point), (values, matched)


def check_what_if(reach: Reach, rule: Rule, decision: Decision, values: dict[str, Any]) -> None:
    """With what was given, what happened is possible, one argument or all of them taken as so."""
    if rule.when is None or rule.subjects or rule.unless or rule.expires:
        return
    found = [each for each in (*decision.matches, *decision.errors) if each.rule == rule.name]
    happened = "false" if not found else "error" if found[0].error else "true"
    paths: dict[tuple[str, ...], Any] = {
        ("arguments", name): values.get(name, MISSING) for name in SCHEMAS
    }
    for given_paths in (paths, *({path: value} for path, value in paths.items())):
        outcomes = reach.outcomes(rule.when.checked.root, "run", given_paths)
        assert not reach.impossible("run", getattr(outcomes, happened)), (given_paths, happened)


def point_values(bundle: Bundle, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments as conditions see them."""
    schema = bundle.tools["run"].arguments
    return schema.coerce(values) if schema else values


def point_of(
    reach: Reach, bundle: Bundle, values: dict[str, Any], now: int, subject: Any, context: Any
) -> list[Formula]:
    """What is so of the terms that are paths, in one call."""
    world = reach.world("run")
    coerced = point_values(bundle, values)
    point: list[Formula] = []
    for name in SCHEMAS:
        value = coerced.get(name, MISSING)
        point.append(Within(world.path(("arguments", name)), exactly(value)))
    place = bundle.context.admit(context or {}).get("place", MISSING) if bundle.context else MISSING
    point.append(Within(world.path(("context", "place")), exactly(place)))
    if subject is not None:
        point.append(Within(world.path(("subject", "id")), exactly(subject.id)))
    return point


FINITE = ["env", "level", "force"]
EXACT_ATOMS = [
    atom
    for atom in ATOMS
    if "arguments." in atom
    and all(f"arguments.{name}" not in atom for name in VALUES if name not in FINITE)
]


@given(st.recursive(st.sampled_from(EXACT_ATOMS), _combined, max_leaves=6), st.data())
@settings(deadline=None, max_examples=150)
def test_over_few_values_what_never_happens_is_called_impossible(
    condition: str, data: st.DataObject
) -> None:
    required = data.draw(st.lists(st.sampled_from(FINITE), unique=True))
    bundle = bundle_of([{"effect": "allow", "tools": "run", "when": condition}], required)
    (rule,) = bundle.rules
    policies, reach = PolicySet(bundle), Reach(bundle, NOW)
    ranges = [VALUES[name] if name in required else [*VALUES[name], MISSING] for name in FINITE]
    seen = set()
    for combination in itertools.product(*ranges):
        values = {
            name: value
            for name, value in zip(FINITE, combination, strict=True)
            if value is not MISSING
        }
        decision = policies.decide(Action("run", values), Facts(NOW))
        seen.add("true" if decision.matches else "error" if decision.errors else "false")
    assert rule.when is not None
    outcomes = reach.outcomes(rule.when.checked.root, "run")
    assert seen == {
        name
        for name, formula in (
            ("true", outcomes.true),
            ("false", outcomes.false),
            ("error", outcomes.error),
        )
        if not reach.impossible("run", formula)
    }
