"""The same policy in YAML and in Rego decides the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails.action import Action, SessionView, Subject
from guardrails.engine import Facts, PolicySet
from guardrails.language.loader import load_texts
from tests.language.rego.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = """
version: 1
policy: tools
constants: {limit: 100, known: [acme, globex]}
tools:
  pay: {traits: [write, spend]}
  look: {traits: [read]}
  wipe: {traits: [write, destructive]}
  odd: {description: Nobody says what it can touch.}
"""
IN_YAML = """
version: 1
policy: p
rules:
  - id: small
    effect: allow
    tools: [pay, made-up]
    when: has(arguments.amount) && arguments.amount <= constants.limit
  - id: large
    effect: escalate
    tools: [pay, made-up]
    when: has(arguments.amount) && arguments.amount > constants.limit
    message: Large.
  - id: strange
    effect: deny
    tools: "*"
    when: has(arguments.to) && !(arguments.to in constants.known)
    message: Strange.
  - {id: role, effect: deny, tools: "*", when: "'intern' in subject.roles"}
  - {id: labelled, effect: deny, tools: "*", when: "'secret' in session.labels"}
  - {id: powers, effect: escalate, tools: "*", when: "'destructive' in traits"}
  - id: prod
    effect: deny
    tools: "*"
    when: has(context.env) && context.env == 'prod' && tool != 'look'
"""
IN_REGO = {
    "p.rego": """
package guardrails.p
strange contains 1 if { input.arguments.to; not input.arguments.to in data.constants.known }
deny contains {"id": "strange", "message": "Strange."} if count(strange) > 0
deny contains {"id": "prod"} if { input.context.env == "prod"; input.tool != "look" }
""",
    "role.rego": 'package guardrails.role\ndeny if "intern" in input.subject.roles',
    "label.rego": 'package guardrails.labelled\ndeny if "secret" in input.session.labels',
    "power.rego": 'package guardrails.powers\nescalate if "destructive" in input.traits',
    "pay.rego": """
# METADATA
# custom: {tools: [pay, made-up]}
package guardrails.pay
allow contains {"id": "small"} if input.arguments.amount <= data.constants.limit
escalate contains {"id": "large", "message": "Large."} if {
  input.arguments.amount > data.constants.limit
}
""",
}
NAMES = {
    "p/small": "pay/small", "p/large": "pay/large", "p/role": "role/deny",
    "p/labelled": "labelled/deny", "p/powers": "powers/escalate",
}  # fmt: skip

amounts = st.one_of(st.integers(-5, 205), st.floats(-5, 205), st.sampled_from([100, 100.0, 100.5]))
actions = st.builds(
    Action,
    st.sampled_from(["pay", "look", "wipe", "odd", "made-up", "unheard"]),
    st.fixed_dictionaries(
        {},
        optional={"amount": amounts, "to": st.sampled_from(["acme", "globex", "evil", ""])},
    ),
    st.one_of(
        st.none(), st.builds(Subject, st.just("a"), st.lists(st.sampled_from(["intern", "chief"])))
    ),
    st.sampled_from([None, {"env": "prod"}, {"env": "dev"}, {"other": 1}]),
    st.one_of(
        st.none(),
        st.builds(SessionView, st.just("s"), st.frozensets(st.sampled_from(["secret", "public"]))),
    ),
)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[PolicySet, PolicySet]]:
    rego = PolicySet(load_texts({"tools.yaml": TOOLS, **IN_REGO}))
    yield PolicySet(load_texts({"tools.yaml": TOOLS, "p.yaml": IN_YAML})), rego
    module = rego.bundle.rules[0].module
    assert module is not None
    module.engine.close()


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(action=actions)
def test_the_same_policy_in_yaml_and_in_rego_decides_the_same(
    action: Action, pair: tuple[PolicySet, PolicySet]
) -> None:
    yaml, rego = (each.decide(action, Facts.at(NOW)) for each in pair)
    assert (rego.effect, rego.code, rego.would) == (yaml.effect, yaml.code, yaml.would)
    assert rego.message == yaml.message
    matched = sorted((NAMES.get(each.rule, each.rule), each.error is None) for each in yaml.matches)
    assert sorted((each.rule, each.error is None) for each in rego.matches) == matched
