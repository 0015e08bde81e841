"""Modules and calls that would harm the agent: it lives, the decision is closed, the next right."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.action import Action
from guardrails.decision import Code, Effect
from guardrails.language.loader import load_texts
from guardrails.language.rego.embedded import EmbeddedEngine
from guardrails.language.rego.process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.engine import Facts, PolicySet
    from tests.language.rego.conftest import LoadRego

ALLOWS = "package guardrails.p\nallow if true\n"
LOOP = "count([1 | some x in numbers.range(1, 3000); some y in numbers.range(1, 3000); x == y]) < 0"
HUNGRY = "count(numbers.range(1, 100000000)) < 0"


def engine_of(policies: PolicySet) -> EmbeddedEngine:
    (engine,) = {rule.module.engine for rule in policies.bundle.rules if rule.module is not None}
    assert isinstance(engine, EmbeddedEngine)
    return engine


@pytest.mark.parametrize("body", [LOOP, HUNGRY], ids=["without end", "without bounds"])
def test_a_module_that_takes_too_much_denies_and_the_next_decision_is_right(
    body: str, load_rego: LoadRego, facts: Facts
) -> None:
    rego = f"{ALLOWS}deny if {{ input.arguments.bad; {body} }}\n"
    policies = load_rego(rego)
    good, bad = Action("pay", {"bad": False}), Action("pay", {"bad": True})
    assert policies.decide(good, facts).allowed
    began = time.monotonic()
    decision = policies.decide(bad, facts)
    assert time.monotonic() - began < 2
    assert (decision.effect, decision.code) == (Effect.DENY, Code.RULE)
    assert [match.rule for match in decision.matches] == ["p/deny", "p/module"]
    assert all(match.error for match in decision.matches)
    assert [match.rule for match in decision.errors] == ["p/allow"]
    assert policies.decide(good, facts).allowed


def test_a_module_that_only_allows_denies_as_a_whole_where_it_fails(
    load_rego: LoadRego, facts: Facts
) -> None:
    every = "version: 1\npolicy: all\nrules: [{id: a, effect: allow, tools: pay}]"
    rego = f"package guardrails.p\nallow if {{ not {LOOP} }}"
    policies = load_rego(rego, all_dot_yaml=every)
    decision = policies.decide(Action("pay"), facts)
    assert decision.effect is Effect.DENY
    assert [match.rule for match in decision.matches] == ["all/a", "p/module"]


@pytest.mark.parametrize(
    "given",
    [2**64, -(2**63) - 1, 10**400, object()],
    ids=["beyond", "below", "huge", "opaque"],
)
def test_what_has_no_json_form_of_its_own_is_closed(
    given: Any, load_rego: LoadRego, facts: Facts
) -> None:
    policies = load_rego(ALLOWS)
    decision = policies.decide(Action("pay", {"given": given}), facts)
    assert [match.rule for match in decision.matches] == ["p/module"]
    assert decision.effect is Effect.DENY
    assert policies.decide(Action("pay", {"given": 1}), facts).allowed


@pytest.mark.parametrize(
    "given",
    [float("nan"), float("inf"), "\ud800", "x" * 2_000_000, {1: "a", "1": "b"}],
    ids=["NaN", "infinity", "a surrogate", "2 MB", "keys that are one as text"],
)
def test_what_no_action_can_hold_is_refused_before(
    given: Any, load_rego: LoadRego, facts: Facts
) -> None:
    policies = load_rego(ALLOWS)
    assert policies.decide(Action("pay", {"given": given}), facts).code is Code.INVALID_ACTION
    assert policies.decide(Action("pay", {"given": 1}), facts).allowed


@pytest.mark.parametrize(
    "given",
    ["a\0b", "\U0010ffff", "x" * 1_000_000, {f"k{n}": n for n in range(10_000)}, 5e-324, -0.0],
    ids=["NUL", "the last character", "1 MB", "10,000 keys", "the least number", "minus zero"],
)
def test_what_is_odd_reaches_a_module_as_it_is(
    given: Any, load_rego: LoadRego, facts: Facts
) -> None:
    text = f"{ALLOWS}deny if input.arguments.a != input.arguments.b\n"
    settings = {"a": given, "b": given}
    if type(given) is str and len(given) > 9:
        settings["b"] = given = given[: len(given) // 3]
        settings["a"] = given
    decision = load_rego(text).decide(Action("pay", settings), facts)
    assert decision.allowed, decision


def test_a_text_is_cut_nowhere(load_rego: LoadRego, facts: Facts) -> None:
    policies = load_rego(f'{ALLOWS}deny if input.arguments.to == "safe"')
    assert policies.decide(Action("pay", {"to": "safe\0evil"}), facts).allowed
    assert not policies.decide(Action("pay", {"to": "safe"}), facts).allowed


def test_threads_are_served_at_once(load_rego: LoadRego, facts: Facts) -> None:
    policies = load_rego(f"{ALLOWS}deny if input.arguments.n % 2 == 1")

    def effect(n: int) -> Effect:
        return policies.decide(Action("pay", {"n": n}), facts).effect

    with ThreadPoolExecutor(8) as pool:
        effects = list(pool.map(effect, range(400)))
    assert effects == [Effect.DENY if n % 2 else Effect.ALLOW for n in range(400)]


def test_a_killed_process_is_replaced(load_rego: LoadRego, facts: Facts) -> None:
    policies = load_rego(ALLOWS)
    assert policies.decide(Action("pay"), facts).allowed
    for process in engine_of(policies).processes:
        os.kill(process, signal.SIGKILL)
    time.sleep(0.05)
    effects = [policies.decide(Action("pay"), facts).effect for _ in range(4)]
    assert effects[-1] is Effect.ALLOW  # those before may be closed, one for each process


def test_a_warm_process_stands_by_for_one_that_fails(load_rego: LoadRego, facts: Facts) -> None:
    policies = load_rego(f"{ALLOWS}deny if {{ input.arguments.bad; {HUNGRY} }}")
    assert policies.decide(Action("pay", {"bad": False}), facts).allowed
    engine = engine_of(policies)
    before = set(engine.processes)
    assert not policies.decide(Action("pay", {"bad": True}), facts).allowed
    after = set(engine.processes)
    assert len(before & after) == len(before) - 1
    assert len(after) == len(before) >= 2
    assert policies.decide(Action("pay", {"bad": False}), facts).allowed


def test_a_stopped_process_is_given_up(load_rego: LoadRego, facts: Facts) -> None:
    policies = load_rego(ALLOWS)
    assert policies.decide(Action("pay"), facts).allowed
    stopped = engine_of(policies).processes
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    assert not policies.decide(Action("pay", {"x": "y" * 900_000}), facts).allowed
    assert set(engine_of(policies).processes) != set(stopped)


def test_a_forked_child_has_processes_of_its_own(load_rego: LoadRego, facts: Facts) -> None:
    policies = load_rego(ALLOWS)
    assert policies.decide(Action("pay"), facts).allowed
    before = engine_of(policies).processes
    child = os.fork()
    if child == 0:
        allowed = policies.decide(Action("pay"), facts).allowed
        own = engine_of(policies).processes
        engine_of(policies).close()
        os._exit(0 if allowed and not set(own) & set(before) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert policies.decide(Action("pay"), facts).allowed
    assert engine_of(policies).processes == before


def test_the_processes_end_with_the_policies() -> None:
    bundle = load_texts({"p.rego": ALLOWS})
    module = bundle.rules[0].module
    assert module is not None
    engine = module.engine
    assert isinstance(engine, EmbeddedEngine)
    processes = engine.processes
    assert processes
    del bundle, module, engine
    gc.collect()
    assert not any(map(runs, processes))


def test_the_processes_end_with_the_agent_however_that_ends() -> None:
    code = (
        "import os, signal; from guardrails.language.loader import load_texts;"
        f"b = load_texts({{'p.rego': {ALLOWS!r}}});"
        "print(*b.rules[0].module.engine.processes, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    processes = list(map(int, done.stdout.split()))
    assert processes
    deadline = time.monotonic() + 5
    while any(map(runs, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(runs, processes))


def test_a_process_is_given_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    seen: list[Mapping[str, str]] = []
    original = subprocess.Popen

    def popen(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        seen.append(options["env"])
        return original(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    WorkerProcess(".", 1 << 29).end()
    assert "SECRET" not in seen[0]


def runs(process: int) -> bool:
    """Whether there is such a process that has not ended, if nobody waited for it yet."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
