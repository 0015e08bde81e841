"""What the cases of semantics.yaml can't say: shared decisions, bounds of memory, odd inputs."""

from __future__ import annotations

from typing import Any

import pytest

from guardrails.action import Action, SessionView, Subject
from guardrails.engine import Facts, PolicySet
from guardrails.language.document import Bundle
from guardrails.testing import policies_over

FACTS = Facts(0)


def policies(*rules: str) -> PolicySet:
    return policies_over("version: 1\npolicy: p\nrules:\n" + "".join(f"  - {r}\n" for r in rules))


def test_equal_outcomes_are_one_object() -> None:
    one = policies("{id: a, effect: allow, tools: t, when: arguments.n < 5}")
    first, second = (one.decide(Action("t", {"n": n}), FACTS) for n in (1, 2))
    assert first is second
    assert first.matches[0].rule == "p/a"


def test_outcomes_are_remembered_within_bounds() -> None:
    rules = [f"{{id: r{n}, effect: allow, tools: t, when: has(arguments.a{n})}}" for n in range(10)]
    many = policies(*rules)
    for chosen in range(1 << 10):
        given = {f"a{n}": 1 for n in range(10) if chosen >> n & 1}
        decision = many.decide(Action("t", given), FACTS)
        assert [match.rule for match in decision.matches] == [f"p/r{name[1:]}" for name in given]


def test_a_condition_that_is_neither_true_nor_false_matches_nothing_it_could_allow() -> None:
    both = policies(
        "{id: a, effect: allow, tools: t, when: arguments.a}",
        "{id: d, effect: deny, tools: t, when: arguments.d}",
    )
    decision = both.decide(Action("t", {"a": 1, "d": False}), FACTS)
    assert [(error.rule, bool(error.error)) for error in decision.errors] == [("p/a", True)]
    decision = both.decide(Action("t", {"a": True, "d": "yes"}), FACTS)
    assert [(match.rule, bool(match.error)) for match in decision.matches] == [
        ("p/a", False),
        ("p/d", True),
    ]


def test_a_pattern_with_the_right_beginning_may_still_not_fit() -> None:
    patterns = policies(
        "{id: a, effect: escalate, tools: t.x}", "{id: d, effect: deny, tools: ['t.*y', '*y*x']}"
    )
    assert patterns.decide(Action("t.x"), FACTS).matches[0].rule == "p/a"
    assert patterns.decide(Action("t.xy"), FACTS).matches[0].rule == "p/d"


def test_a_condition_that_fails_is_told_each_time_it_is_asked() -> None:
    one = policies("{id: a, effect: allow, tools: t, when: arguments.n < 5}")
    for _ in range(2):
        decision = one.decide(Action("t", {}), FACTS)
        assert str(decision.code) == "no_match"
        assert decision.errors[0].error == "`arguments.n` is missing"


def test_kinds_are_read_once_for_all_rules() -> None:
    kinds = policies_over("""
        version: 1
        policy: p
        tools: {t: {traits: [read], arguments: {to: {type: string, kind: recipient}}}}
        rules:
          - {id: a, effect: allow, tools: t, when: size(kinds.recipient) == 1}
          - {id: d, effect: deny, tools: t, when: 'kinds.recipient.exists(to, to == "x")'}
    """)
    decision = kinds.decide(Action("t", {"to": "x"}), FACTS)
    assert [match.rule for match in decision.matches] == ["p/a", "p/d"]


def test_no_policies_allow_nothing() -> None:
    nothing = PolicySet(Bundle((), {}, {}, None, ""))
    decision = nothing.decide(Action("t"), FACTS)
    assert (str(decision.effect), str(decision.code)) == ("deny", "no_policies")
    assert decision.message == "No policies are in force, so nothing may run."


@pytest.mark.parametrize(
    "action",
    [
        None,
        ("t", {}),
        Action(5),  # type: ignore[arg-type]
        Action("t", subject="a"),  # type: ignore[arg-type]
        Action("t", context=5),  # type: ignore[arg-type]
        Action("t", context={1: 2}),  # type: ignore[dict-item]
        Action("t", context={"x": float("nan")}),
        Action("t", session="s"),  # type: ignore[arg-type]
        Action("t", session=SessionView(5)),  # type: ignore[arg-type]
        Action("t", session=SessionView("s", "ab")),  # type: ignore[arg-type]
        Action("t", session=SessionView("s", chain=("a",))),  # type: ignore[arg-type]
        Action("t", session=SessionView("s", frozenset({1}))),  # type: ignore[arg-type]
        Action("t", session=SessionView("s", targets="ab")),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_action_is_refused(action: Any) -> None:
    one = policies("{id: a, effect: allow, tools: t}")
    decision = one.decide(action, FACTS)
    assert str(decision.code) == "invalid_action"
    assert decision.message


def test_the_subject_of_the_action_comes_after_those_of_the_session() -> None:
    chain = policies("{id: a, effect: allow, tools: t, subjects: {ids: [a, b]}}")
    session = SessionView("s", chain=(Subject("a"),))
    for subject, allowed in (("a", True), ("b", True), ("c", False)):
        decision = chain.decide(Action("t", subject=Subject(subject), session=session), FACTS)
        assert decision.allowed is allowed


def test_actions_are_values() -> None:
    action = Action("t", {"n": 1})
    assert action == Action("t", {"n": 1})
    assert action != Action("t", {"n": 2})
    assert action != ("t", {"n": 1})
    assert repr(action) == "Action('t', {'n': 1}, None, None, None)"
    for name in ("tool", "arguments", "subject", "context", "session"):
        with pytest.raises(AttributeError):
            setattr(action, name, None)
    with pytest.raises(TypeError):
        hash(action)


def test_the_rules_that_concern_a_tool_are_told_by_name() -> None:
    two = policies("{id: b, effect: deny, tools: 't*'}", "{id: a, effect: escalate, tools: t}")
    assert [rule.name for rule in two.concerning("t")] == ["p/a", "p/b"]
    assert [rule.name for rule in two.concerning("x")] == []
