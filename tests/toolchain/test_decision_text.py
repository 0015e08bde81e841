from __future__ import annotations

import pytest

from guardrails.decision import Code, Decision, Effect, RuleMatch, UsedException
from guardrails.language.document import Bundle
from guardrails.toolchain.decision_text import reason, tell_briefly, tell_decision
from guardrails.toolchain.lines import plain

BUNDLE = Bundle(documents=(), constants={}, tools={}, context=None, revision="r")


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("effect", Effect)
def test_every_outcome_has_its_words(code: Code, effect: Effect) -> None:
    told = reason(Decision(effect, code))
    assert told
    assert (f"({code})" in told) is (code is not Code.RULE)


def test_a_rule_that_is_no_longer_there_is_told_without_its_place() -> None:
    matches = (RuleMatch("old/rule", Effect.ALLOW), RuleMatch("old/other", Effect.DENY))
    decision = Decision(Effect.DENY, Code.RULE, matches, would=Effect.DENY, revision="r")
    assert (
        plain(tell_decision("pay", decision, BUNDLE))
        == """\
DENY  pay
  a rule forbids it

matched
  deny      old/other
  allow     old/rule

policies r
"""
    )


def test_what_could_not_be_evaluated_and_what_was_excepted_is_told() -> None:
    decision = Decision(
        Effect.DENY,
        Code.NO_MATCH,
        errors=(RuleMatch("p/a", Effect.ALLOW, "`arguments.x` is missing"),),
        exceptions=(UsedException("p/b", ""), UsedException("p/c", "for a while")),
        revision="r",
    )
    assert (
        plain(tell_decision("pay", decision, BUNDLE))
        == """\
DENY  pay
  no rule allows it, and what no rule allows does not run (no_match)

could not be evaluated, so did not match
  allow     p/a
            error: `arguments.x` is missing

excepted
  p/b by its `unless`
  p/c: for a while

policies r
"""
    )


def test_one_decision_of_many_names_the_rules_that_decided() -> None:
    matches = (RuleMatch("p/a", Effect.DENY), RuleMatch("p/b", Effect.ALLOW))
    told = tell_briefly(7, "pay", Decision(Effect.DENY, Code.RULE, matches))
    assert plain([told]) == "     7  deny      pay  rule  p/a\n"
