"""Counters of a session against a walk over all that happened, and what holds at their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.action import Action, SessionView
from guardrails.engine import Facts, PolicySet
from guardrails.errors import EvaluationError
from guardrails.language.loader import load_texts
from guardrails.past import RECENT, Calls, Outcome, Step
from guardrails.session import SessionState
from guardrails.session.history import MAX_UNDECLARED, History
from tests.session.naive_history import Happening, NaiveHistory

TRAITS = {"a.read": ("read",), "a.write": ("write", "spend"), "b.read": ("read",), "wild": None}

happenings = st.builds(
    Happening,
    tool=st.sampled_from(sorted(TRAITS)),
    traits=st.none(),
    outcome=st.sampled_from(Outcome),
    at_ns=st.integers(0, 50),
).map(lambda each: each._replace(traits=TRAITS[each.tool]))
selections = st.builds(
    Calls,
    st.none() | st.lists(st.sampled_from(["a.read", "a.*", "*", "c"]), min_size=1).map(tuple),
    st.none() | st.lists(st.sampled_from(["read", "spend"]), min_size=1).map(tuple),
    st.sampled_from(Outcome),
)
steps = st.builds(Step, selections, st.none() | st.integers(0, 50), st.integers(1, 4))


def remembered(all_of_it: list[Happening]) -> tuple[History, NaiveHistory]:
    quick, naive = History(), NaiveHistory()
    for each in all_of_it:
        quick.note(
            each.tool, each.traits, each.outcome, each.at_ns, declared=each.traits is not None
        )
        naive.note(each)
    return quick, naive


@given(st.lists(happenings, max_size=30), st.lists(steps, min_size=1, max_size=3), st.booleans())
def test_what_happened_is_what_a_walk_finds(
    all_of_it: list[Happening], wanted: list[Step], unknown: bool
) -> None:
    quick, naive = remembered(all_of_it)
    asked = tuple(wanted)
    assert quick.happened(asked, 50, unknown=unknown) is naive.happened(asked, 50, unknown=unknown)


@given(st.lists(happenings, max_size=30), selections, st.none() | st.integers(0, 50), st.booleans())
def test_counts_are_what_a_walk_counts(
    all_of_it: list[Happening], calls: Calls, since: int | None, unknown: bool
) -> None:
    quick, naive = remembered(all_of_it)
    assert quick.count(calls, since, unknown=unknown) == naive.count(calls, since, unknown=unknown)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(happenings, min_size=1, max_size=2),
    st.lists(happenings, max_size=4),
    st.lists(steps, min_size=1, max_size=2),
)
def test_a_long_past_is_told_right_or_not_at_all(
    again_and_again: list[Happening], then: list[Happening], wanted: list[Step]
) -> None:
    quick, naive = remembered(again_and_again * (2 * RECENT + 5) + then)
    try:
        found = quick.happened(tuple(wanted), 50, unknown=False)
    except EvaluationError:
        return
    assert found is naive.happened(tuple(wanted), 50, unknown=False)


def note(history: History, tool: str, at_ns: int, *, declared: bool = True) -> None:
    traits = ("read",) if declared else None
    history.note(tool, traits, Outcome.CALLED, at_ns, declared=declared)


def called(*tools: str) -> Calls:
    return Calls(tools, None, Outcome.CALLED)


def test_memory_of_a_tool_is_bounded_and_the_count_goes_on() -> None:
    history = History()
    for at in range(RECENT * 5):
        note(history, "t", at)
    assert history.count(called("t"), None, unknown=None) == RECENT * 5
    assert history.count(called("t"), RECENT * 5 - 10, unknown=None) == 10
    with pytest.raises(EvaluationError, match="more often than can be counted"):
        history.count(called("t"), 1, unknown=None)
    many = Step(called("t"), RECENT * 5, RECENT)
    assert history.happened((many,), RECENT * 5, unknown=False)
    (tracks,) = history._tracks.values()
    assert len(tracks[Outcome.CALLED].times) <= 2 * RECENT


def test_an_order_too_long_ago_is_an_error_and_never_a_guess() -> None:
    history = History()
    note(history, "backup", 1)
    note(history, "check", 2)
    for at in range(3, 3 + RECENT * 3):
        note(history, "check", at)
    note(history, "late", RECENT * 4)
    assert history.happened((Step(called("backup")), Step(called("check"))), 9, unknown=False)
    with pytest.raises(EvaluationError, match="too long ago to tell the order"):
        history.happened((Step(called("check")), Step(called("backup"))), 9, unknown=False)
    assert not history.happened((Step(called("late")), Step(called("backup"))), 9, unknown=False)


def test_names_that_an_agent_makes_up_fill_no_memory_and_still_count() -> None:
    history = History()
    for number in range(MAX_UNDECLARED * 2):
        note(history, f"made-up-{number}", number, declared=False)
    note(history, "real", 5)
    assert len(history._tracks) == MAX_UNDECLARED + 1
    assert history.count(called("*"), None, unknown=None) == MAX_UNDECLARED * 2 + 1
    assert history.count(called("real"), None, unknown=None) == 1
    for unsure in ("made-up-1999", "made-*"):
        with pytest.raises(EvaluationError, match="more undeclared tools than it can tell apart"):
            history.count(called(unsure), None, unknown=None)


TOOLS = """version: 1
policy: p
tools:
  a.read: {traits: [read]}
  a.write: {traits: [write, spend]}
  b.read: {traits: [read]}
rules:
  - {id: all, effect: allow, tools: "*"}
"""
DENY = """  - id: history
    effect: deny
    tools: "*"
    %s: {tools: [a.read, wild], traits: [read], outcome: %s, at_least: %d}
"""


@given(
    st.lists(happenings, max_size=15),
    st.sampled_from(["after", "not_before"]),
    st.sampled_from(Outcome),
    st.integers(1, 3),
)
def test_a_deny_that_looks_back_never_loosens(
    all_of_it: list[Happening], key: str, outcome: Outcome, least: int
) -> None:
    without = PolicySet(load_texts({"p.yaml": TOOLS}))
    with_it = PolicySet(load_texts({"p.yaml": TOOLS + DENY % (key, outcome, least)}))
    state = SessionState("s", None)
    for each in all_of_it:
        state.history.note(
            each.tool, each.traits, each.outcome, each.at_ns, declared=each.traits is not None
        )
    for past in (state, None):
        action = Action("a.write", session=SessionView("s", past=past))
        assert with_it.decide(action, Facts(60)).effect >= without.decide(action, Facts(60)).effect
