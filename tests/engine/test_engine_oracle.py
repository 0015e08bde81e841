"""The fast engine against the slow one, over generated policies, actions and facts."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.action import Action, SessionView, Subject
from guardrails.engine import Facts, PolicySet
from guardrails.language.document import TRAITS
from guardrails.language.loader import load_texts

if TYPE_CHECKING:
    from guardrails.decision import Decision

_spec = importlib.util.spec_from_file_location("naive", Path(__file__).with_name("naive.py"))
assert _spec is not None
assert _spec.loader is not None
naive = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(naive)

NOW = 1_780_000_000 * 10**9  # 2026-05-28
TOOLS = ["pay", "pay.out", "read", "wipe"]
PATTERNS = [*TOOLS, "pay*", "*", "*.out", "r*d", "un*known"]
CONDITIONS = [
    "true",
    "false",
    "arguments.amount > 5",
    "arguments.amount == 1 || arguments.missing",
    "arguments.missing == 1",
    "has(arguments.amount) && arguments.amount < 3",
    '"read" in traits',
    'subject.id == "a"',
    '"boss" in subject.roles',
    "size(subject.chain) > 1",
    'session.id == "s"',
    '"untrusted" in session.labels',
    'context.env == "prod"',
    "arguments.amount",
    'now > timestamp("2026-05-01T00:00:00Z")',
    "tool == 'pay'",
    "constants.limit > arguments.amount",
]
EXPIRES = ["2026-01-01", "2027-01-01", "2026-05-28"]

some = st.lists(st.sampled_from(["a", "b", "c*", "*"]), min_size=1, max_size=2)
subjects = st.fixed_dictionaries({"ids": some}) | st.fixed_dictionaries(
    {"roles": st.lists(st.sampled_from(["boss", "b*", "clerk"]), min_size=1, max_size=2)}
)
exemptions = st.lists(
    st.fixed_dictionaries(
        {"reason": st.sampled_from(["r1", "r2"]), "expires": st.sampled_from(EXPIRES)},
        optional={"when": st.sampled_from(CONDITIONS), "subjects": subjects},
    ).filter(lambda item: "when" in item or "subjects" in item),
    min_size=1,
    max_size=2,
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {"effect": draw(st.sampled_from(["allow", "escalate", "deny"]))}
    which = draw(st.sampled_from(["tools", "traits", "both"]))
    if which != "traits":
        rule["tools"] = draw(
            st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True)
        )
    if which != "tools":
        rule["traits"] = draw(
            st.lists(st.sampled_from(TRAITS[:4]), min_size=1, max_size=3, unique=True)
        )
    if draw(st.booleans()):
        rule["when"] = draw(st.sampled_from(CONDITIONS))
    if draw(st.integers(0, 3)) == 0:
        rule["subjects"] = draw(subjects)
    kind = draw(st.integers(0, 4))
    if kind == 0:
        rule["unless"] = draw(st.sampled_from(CONDITIONS))
    elif kind == 1 and rule["effect"] != "allow":
        rule["unless"] = draw(exemptions)
    if draw(st.integers(0, 3)) == 0:
        rule["mode"] = "observe"
    if draw(st.integers(0, 3)) == 0:
        rule["expires"] = draw(st.sampled_from(EXPIRES))
    return rule


@st.composite
def documents(draw: st.DrawFn) -> str:
    traits = st.lists(st.sampled_from(TRAITS[:4]), max_size=3, unique=True)
    declared = draw(st.lists(st.sampled_from(TOOLS), unique=True, max_size=3))
    document: dict[str, Any] = {
        "version": 1,
        "policy": "p",
        "constants": {"limit": 4},
        "tools": {name: {"traits": draw(traits)} for name in declared},
        "rules": [
            {"id": f"r{number}", **rule}
            for number, rule in enumerate(draw(st.lists(rules(), min_size=1, max_size=6)))
        ],
    }
    if not declared:
        del document["tools"]
    return json.dumps(document)


people = st.builds(
    Subject,
    st.sampled_from(["a", "b", "cc"]),
    st.lists(st.sampled_from(["boss", "clerk"]), max_size=2),
)
sessions = st.builds(
    SessionView,
    st.sampled_from(["s", "t"]),
    st.frozensets(st.sampled_from(["untrusted", "private"])),
    st.lists(people, max_size=2).map(tuple),
)
actions = st.builds(
    Action,
    st.sampled_from([*TOOLS, "unknown"]),
    st.fixed_dictionaries(
        {}, optional={"amount": st.sampled_from([1, 4, 9, 2.5, "x", None, True])}
    ),
    st.none() | people,
    st.none() | st.fixed_dictionaries({}, optional={"env": st.sampled_from(["prod", "dev", 5])}),
    st.none() | sessions,
)


def told(decision: Decision) -> Any:
    return naive.Verdict(
        str(decision.effect),
        str(decision.code),
        [
            (each.rule, str(each.effect), each.observed, each.error is not None)
            for each in decision.matches
        ],
        [(each.rule, str(each.effect), each.observed) for each in decision.errors],
        str(decision.would),
    )


@settings(max_examples=400)
@given(documents(), st.lists(actions, min_size=1, max_size=5), st.none() | sessions)
def test_the_fast_engine_decides_as_the_slow_one(
    text: str, proposed: list[Action], around: SessionView | None
) -> None:
    bundle = load_texts({"p.yaml": text})
    policies = PolicySet(bundle)
    facts = Facts(NOW, None, around)
    for action in proposed:
        assert told(policies.decide(action, facts)) == naive.decide(bundle, action, facts)
        assert told(policies.decide(action, facts)) == naive.decide(bundle, action, facts)


def added(first: str, second: str, effect: str) -> tuple[PolicySet, PolicySet]:
    """The policies of `first`, and the same with the rules of `second` that have `effect`."""
    base = json.loads(first)
    more = [
        {**rule, "id": f"x{rule['id']}"}
        for rule in json.loads(second)["rules"]
        if rule["effect"] == effect
    ]
    both = json.dumps({**base, "rules": base["rules"] + more})
    return PolicySet(load_texts({"p.yaml": first})), PolicySet(load_texts({"p.yaml": both}))


@pytest.mark.slow
@settings(max_examples=100)
@given(documents(), documents(), actions)
def test_adding_a_deny_never_loosens(first: str, second: str, action: Action) -> None:
    before, after = added(first, second, "deny")
    facts = Facts(NOW)
    assert after.decide(action, facts).effect >= before.decide(action, facts).effect


@pytest.mark.slow
@settings(max_examples=100)
@given(documents(), documents(), actions)
def test_adding_an_escalate_never_allows(first: str, second: str, action: Action) -> None:
    before, after = added(first, second, "escalate")
    facts = Facts(NOW)
    assert before.decide(action, facts).allowed or not after.decide(action, facts).allowed


@pytest.mark.slow
@settings(max_examples=100)
@given(documents(), actions, st.randoms(use_true_random=False))
def test_order_never_matters(text: str, action: Action, random: Any) -> None:
    document = json.loads(text)
    shuffled = {**document, "rules": random.sample(document["rules"], len(document["rules"]))}
    facts = Facts(NOW)
    one = PolicySet(load_texts({"p.yaml": text})).decide(action, facts)
    other = PolicySet(load_texts({"p.yaml": json.dumps(shuffled)})).decide(action, facts)
    assert told(one) == told(other)


@settings(max_examples=100)
@given(documents(), actions)
def test_rules_that_observe_change_nothing(text: str, action: Action) -> None:
    document = json.loads(text)
    enforced = [rule for rule in document["rules"] if "mode" not in rule]
    watched = [
        {**rule, "id": f"w{rule['id']}", "mode": "observe", "expires": "2030-01-01"}
        for rule in document["rules"]
    ]
    facts = Facts(NOW)
    one = PolicySet(load_texts({"p.yaml": json.dumps({**document, "rules": enforced})}))
    other = PolicySet(load_texts({"p.yaml": json.dumps({**document, "rules": enforced + watched})}))
    before, after = one.decide(action, facts), other.decide(action, facts)
    assert (before.effect, before.code) == (after.effect, after.code)
    assert [each for each in after.matches if not each.observed] == list(before.matches)
