"""What it costs to ask where values came from, in a session of 10,000 calls and 5 MB of results.

The session is a guard's own memory, filled as a guard fills it. The results are English-like: words
of a vocabulary by Zipf's law, with an address, an amount and a day in each. A decision reads the
session's labels, its history, where the payee came from, and whether the amount was stated; it is
asked as a guard does, and as whoever calls `PolicySet.decide`.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from random import Random
from time import perf_counter_ns
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts
from benchmarks.timing import ROUNDS, Figures, Subject, measure
from guardrails import Action, Effect, PolicySet, load_policies
from guardrails.action import SessionView
from guardrails.action import Subject as Actor
from guardrails.engine.facts import Circumstances, Facts
from guardrails.session import SessionState
from guardrails.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL_NS = 30_000
"""What a decision with labels, history and origins may take (the median)."""

CALLS = 10_000
RESULT = 512
"""Characters of a result; of all of them some 5 MB."""

POLICY = """
version: 1
policy: payments
tools:
  read: {traits: [read], returns: [untrusted]}
  pay:
    traits: [spend, external]
    arguments: {to: {type: string}, amount: {type: number}, subject: {type: string}}
    required: [to, amount, subject]
rules:
  - {id: act, effect: allow, tools: [read, pay]}
  - id: payee-is-nobody-elses
    effect: escalate
    tools: pay
    when: >-
      "untrusted" in session.labels && calls("read") > 0 && "untrusted" in origins(arguments.to)
  - id: amount-is-hers
    effect: escalate
    tools: pay
    when: '"untrusted" in session.labels && !stated(arguments.amount)'
"""

LONG = ("a decision after 10,000 calls", "the same by `PolicySet.decide`")
"""What the goal is held against."""

SAID = "Please pay 1,250.00 to DE89 3704 0044 0532 0130 00 for the gardener's work in March."
PAIRS = tuple((f"DE{number}370400440532013000", 1250.0) for number in range(11, 99))
"""More payees than a session remembers having read, so that each is read anew."""


def results(count: int) -> list[dict[str, str]]:
    """So many results of a tool, the same at every run."""
    random = Random(7)
    letters = "etaoinshrdlucmfwypvbgk"
    lengths = (random.randint(2, 9) for _ in range(30_000))
    words = ["".join(random.choices(letters, k=length)) for length in lengths]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    found = []
    for number in range(count):
        text = " ".join(random.choices(words, weights, k=75))[: RESULT - 60]
        day = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}"
        found.append({"body": f"{text}. Pay {number}.50 to user{number}@example.com by {day}."})
    return found


class Filled(NamedTuple):
    """A session in which results were read, and the nanoseconds that it took.

    `kept_ns` to keep all of them as they came, `taken_in_ns` to take all in once a condition asks.
    """

    state: SessionState
    kept_ns: int
    taken_in_ns: int


def fill(policies: PolicySet, given: list[dict[str, str]]) -> Filled:
    """A session in which all this was read."""
    state = SessionState("s", None)
    state.said(SAID)
    declared = policies.bundle.tools["read"]
    began = perf_counter_ns()
    for result in given:
        state.started("read", declared)
        state.ended("read", declared, None, result)
    kept = perf_counter_ns()
    state.origins("x", SimpleNamespace(steps=100))
    return Filled(state, kept - began, perf_counter_ns() - kept)


def judging(policies: PolicySet, state: SessionState) -> Callable[[str, float], Any]:
    """A function that has a payment decided as a guard does; the session allows it."""
    who = Actor("agent-7")
    view = SessionView("s", state.labels, (who,), state)
    circumstances, plan = Circumstances((who,), {}, view, 0), policies.plan("pay")
    return checked(
        lambda to, amount: policies.judge(plan, take_snapshot(payment(to, amount)), circumstances)
    )


def deciding(policies: PolicySet, state: SessionState) -> Callable[[str, float], Any]:
    """A function that has the same payment decided from an action and facts, all to be read."""
    view = SessionView("s", state.labels, (Actor("agent-7"),), state)
    return checked(
        lambda to, amount: policies.decide(Action("pay", payment(to, amount)), Facts(0, None, view))
    )


def payment(to: str, amount: float) -> dict[str, Any]:
    """The arguments of a payment."""
    return {"to": to, "amount": amount, "subject": "gardener's work"}


def checked(decide: Callable[[str, float], Any]) -> Callable[[str, float], Any]:
    """`decide`, once it was seen to allow what it should."""
    if decide(*PAIRS[0]).effect is not Effect.ALLOW:
        raise AssertionError("the payment that was asked for is to be allowed")
    return decide


def run(rounds: int) -> Report:
    """Measure, and report."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "payments.yaml").write_text(POLICY, encoding="utf-8")
        policies = load_policies(folder)
    given = results(CALLS)
    size = sum(len(each["body"]) for each in given) / 1e6
    empty, full = fill(policies, given[:1]).state, fill(policies, given)
    work = SimpleNamespace(steps=10**15)
    body = " ".join(each["body"] for each in given[:2])
    functions: dict[str, Callable[[Any, Any], Any]] = {
        "a decision after 10,000 calls": judging(policies, full.state),
        "the same by `PolicySet.decide`": deciding(policies, full.state),
        "a decision after one": judging(policies, empty),
        "`stated` of an account": lambda to, _: full.state.stated(to, work),
        "`origins` of an account": lambda to, _: full.state.origins(to, work),
        "`origins` of 1,000 characters": lambda _, __: full.state.origins(body, work),
    }
    subjects = [Subject(function, PAIRS) for function in functions.values()]
    figures = dict(zip(functions, measure(subjects, rounds), strict=True))
    return report(figures, size, full)


def report(figures: dict[str, Figures], size: float, full: Filled) -> Report:
    """The figures, and the goal held against the slower of both ways."""
    median = max(each.p50 for name, each in figures.items() if name in LONG)
    goal = f"a decision with labels, history and origins takes {duration(GOAL_NS)} at most (p50)"
    rows = tuple(
        (name, *(duration(figure) for figure in (each.p50, each.p99, each.best)))
        for name, each in figures.items()
    )
    return Report(
        name="origins",
        machine=machine(),
        tables=(
            verdicts([(goal, median <= GOAL_NS, duration(median))]),
            Table(f"Session of {CALLS:,} calls, {size:.1f} MB", ("", "p50", "p99", "best"), rows),
        ),
        remarks=(
            f"A result is kept as it comes: {full.kept_ns / 1e3 / CALLS:.1f} µs, with its call.",
            f"Taken in when a condition asks: {full.taken_in_ns / 1e6 / size:.0f} ms a MB.",
            "Its memory is at most 54 MB for each set of labels that tools return.",
        ),
        figures={"results": [{"what": name, **asdict(each)} for name, each in figures.items()]},
    )


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.origins", __doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    options.publish(run(arguments.rounds), arguments)


if __name__ == "__main__":
    main()
