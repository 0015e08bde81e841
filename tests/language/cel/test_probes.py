"""A probe lets its operand's value go by, and says so to whoever watches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.errors import EvaluationError
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.parser import parse
from guardrails.language.cel.tree import Literal, Node, Probe
from guardrails.language.cel.types import DYN, STRING, map_of

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "arguments.items.all(x, x > 1 || x == 0) && has(arguments.k) ? arguments.z : false"
CHECKED = check(parse(SOURCE), Environment({"arguments": map_of(STRING, DYN)}, {}))


class Frame:
    def __init__(self, steps: int = 1000) -> None:
        self.steps = steps


def watched(node: Node, watch: Callable[[str, object, object], object]) -> Node:
    """`node` with a probe round every part that is no literal."""
    inner = node.map(lambda child: watched(child, watch))
    if isinstance(node, Literal):
        return inner
    text = SOURCE[node.start : node.end]
    probe = lambda frame, value: watch(text, frame, value)  # noqa: E731
    return Probe(node.start, node.end, inner, probe, type=node.type)


def run(watch: Callable[[str, object, object], object], frame: Any, **arguments: Any) -> object:
    root = watched(CHECKED.root, watch)
    return compile_condition(replace(CHECKED, root=root))(arguments, frame)


def test_every_value_goes_by_in_the_order_of_evaluation() -> None:
    seen: list[tuple[str, object]] = []

    def note(text: str, _frame: object, value: object) -> object:
        seen.append((text, value))
        return value

    assert run(note, Frame(), items=[0], k=1, z=True) is True
    assert [each for each in seen if each[0] not in {"arguments", "x"}] == [
        ("arguments.items", [0]),
        ("x > 1", False),
        ("x == 0", True),
        ("x > 1 || x == 0", True),
        ("arguments.items.all(x, x > 1 || x == 0)", True),
        ("has(arguments.k)", True),
        ("arguments.items.all(x, x > 1 || x == 0) && has(arguments.k)", True),
        ("arguments.z", True),
        (SOURCE, True),
    ]


def test_what_decides_early_keeps_the_rest_from_being_seen() -> None:
    seen: list[str] = []

    def note(text: str, _frame: object, value: object) -> object:
        seen.append(text)
        return value

    assert run(note, Frame(), items=[1], z=True) is False
    assert "has(arguments.k)" not in seen
    assert "arguments.z" not in seen


def test_the_frame_is_handed_on() -> None:
    frame = Frame()
    run(lambda _text, given, value: value if given is frame else None, frame, items=[], z=True)


def test_an_error_of_the_watcher_is_told_with_its_place() -> None:
    def refuse(text: str, _frame: object, value: object) -> object:
        if text == "has(arguments.k)":
            raise EvaluationError("not now")
        return value

    with pytest.raises(EvaluationError, match=r"`has\(arguments\.k\)`: not now"):
        run(refuse, Frame(), items=[], z=True)


def test_watching_costs_the_condition_no_work() -> None:
    bare, observed = Frame(), Frame()
    arguments = {"items": [2, 3, 4, 5], "k": 1, "z": True}
    compile_condition(CHECKED)(arguments, bare)
    run(lambda _text, _frame, value: value, observed, **arguments)
    assert observed.steps == bare.steps < 1000
