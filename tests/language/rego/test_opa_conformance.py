"""OPA's own conformance cases, by the embedded engine behind the checks at load.

What each folder comes to is data, `opa_conformance.json`: cases that are evaluated as OPA does
(`right`, errors included), that are refused when they are loaded (`refused`), that the engine has
an error for though OPA has a value (`error`, which is closed), and that need an input that is no
JSON (`skipped`). None may be evaluated to something else.
"""

from __future__ import annotations

import gzip
import json
import select
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.language.folder import File
from guardrails.language.rego.checks import check_functions, check_recursion
from guardrails.language.rego.embedded import EmbeddedEngine
from guardrails.language.rego.graph import Graph
from guardrails.language.rego.parsing import parse_modules
from tests.shared import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.errors import Problem

CASES = SHARED / "data" / "opa" / "v1_cases.jsonl.gz"
FIGURES = Path(__file__).with_name("opa_conformance.json")
SCRIPT = Path(__file__).with_name("opa_cases.py")


class Evaluator:
    """A process that evaluates cases, made anew where one ends it."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def evaluate(self, case: dict[str, Any]) -> list[Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], 5)
        line = self.process.stdout.readline() if ready else ""
        if line:
            answer: list[Any] = json.loads(line)
            return answer
        self.end()
        self._start()
        return ["error", "it crashed or took too long"]

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def evaluator() -> Iterator[Evaluator]:
    made = Evaluator()
    yield made
    made.end()


def refused(engine: EmbeddedEngine, case: dict[str, Any]) -> bool:
    """Whether the modules of a case would not load."""
    texts = enumerate(case.get("modules") or [])
    files = [File(f"m{place}.rego", f"m{place}.rego", text.encode()) for place, text in texts]
    problems: list[Problem] = []
    graph = Graph([each.module for each in parse_modules(engine, files, problems)])
    if problems:
        return True
    return any(check_functions(graph, builtins=True)) or check_recursion(graph) is not None


def outcome(engine: EmbeddedEngine, running: Evaluator, case: dict[str, Any]) -> str:
    if case.get("input_term") is not None:
        return "skipped"
    if refused(engine, case):
        return "refused"
    state, value = running.evaluate(case)
    fails = bool(case.get("want_error_code") or case.get("want_error"))
    if state == "error":
        return "right" if fails else "error"
    if fails:
        return "silent"
    return "right" if plain(value) == plain(case.get("want_result") or []) else "wrong"


def plain(value: Any) -> Any:
    """A result as it is compared: sets are lists, of any order; 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return sorted(map(plain, value), key=lambda each: json.dumps(each, sort_keys=True))
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


@pytest.mark.slow
@pytest.mark.skipif(not CASES.exists(), reason="OPA's cases are not beside the project")
def test_no_case_of_opa_is_evaluated_to_something_else() -> None:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    bad = []
    engine = EmbeddedEngine()
    with gzip.open(CASES, "rt") as lines, evaluator() as running:
        for line in lines:
            case = json.loads(line)
            became = outcome(engine, running, case)
            found[case["folder"]][became] += 1
            if became in ("wrong", "silent"):
                bad.append((case["note"], became))
    engine.close()
    assert bad == []
    figures = {folder: dict(sorted(counts.items())) for folder, counts in sorted(found.items())}
    assert figures == json.loads(FIGURES.read_text())
