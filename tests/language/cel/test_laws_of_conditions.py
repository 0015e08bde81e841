"""Laws that hold for every text, every condition and every input."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.errors import CelError, CelErrors
from guardrails.language.cel.lexer import MAX_LENGTH
from guardrails.language.cel.parser import parse
from guardrails.language.cel.tree import Comprehension, Literal
from guardrails.language.cel.types import DYN
from guardrails.values import Opaque
from tests.language.cel.expressions import INPUTS, VALUES, VARIABLES, booleans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Checked

ENVIRONMENT = Environment(dict.fromkeys(VARIABLES, DYN))

WORDS = r"""
    . , : ? ( ) [ ] { } ! - + * / % && || == != < <= in | = @ & // \ `k` true null x y and not
    has all map 1 2u 3.0 .5 0x 1e9 'a' "b" r'\' b'' ''' \""" 'é é 🙂
"""
PIECES = st.sampled_from(WORDS.split())
SPOILT = st.lists(PIECES | st.sampled_from("\n\ud800"), max_size=30).map(" ".join)
TEXTS = st.text() | SPOILT


@settings(max_examples=300)
@given(TEXTS)
def test_any_text_is_a_tree_or_a_fault_inside_the_text(source: str) -> None:
    fault = _fault_of(source)
    if fault is not None:
        assert 0 <= fault.start < fault.end
        assert fault.start <= len(source)
        assert fault.message


def _fault_of(source: str) -> CelError | None:
    try:
        parse(source)
    except CelError as error:
        return error
    return None


HOSTILE = [
    "(", ")", "a.", "!", "-", "[", "{", "'", '"""', "r'", "a+", "a?b:", "a?", "a[", "x.all(a,",
    "\\", "0", "//\n", "a&&", "[[],", "{1:", "1?1:", "a(", ".a", "'a'+", "` `", "\n", "a ", "!-",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("size", [MAX_LENGTH, 1_000_000])
def test_a_hostile_text_is_read_or_refused_quickly(piece: str, size: int) -> None:
    start = time.process_time()
    fault = _fault_of((piece * size)[:size])
    assert time.process_time() - start < 1
    assert fault is not None or size == MAX_LENGTH


def opaque_inputs() -> st.SearchStrategy[dict[str, Any]]:
    spoilt = VALUES | st.just(Opaque("a file")) | st.just([1, Opaque("a file")])
    return st.fixed_dictionaries(dict.fromkeys(VARIABLES, spoilt))


def subexpressions(checked: Checked) -> Iterator[Checked]:
    """Every part with a value of its own: all but literals and what stands inside a macro."""
    waiting = [checked.root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Literal):
            yield replace(checked, root=node, type=node.type)
        waiting += (node.operand,) if isinstance(node, Comprehension) else node.children()


@settings(max_examples=200)
@given(booleans(3), INPUTS | opaque_inputs(), st.sampled_from([0, 3, 1_000_000]))
def test_any_condition_on_any_input_has_a_value_or_an_evaluation_error(
    source: str, values: dict[str, Any], steps: int
) -> None:
    checked = check(parse(source), ENVIRONMENT)
    for part in subexpressions(checked):
        condition = compile_condition(part)
        with suppress(EvaluationError):
            condition({}, SimpleNamespace(steps=steps, **values))


@settings(max_examples=100)
@given(booleans(2), booleans(2), INPUTS)
def test_logic_does_not_care_about_order(left: str, right: str, values: dict[str, Any]) -> None:
    for operator in ("&&", "||"):
        assert _outcome(f"({left}) {operator} ({right})", values) == _outcome(
            f"({right}) {operator} ({left})", values
        )


@settings(max_examples=100)
@given(st.lists(booleans(1), min_size=1, max_size=3), INPUTS)
def test_exists_is_a_chain_of_or_and_all_of_and(parts: list[str], values: dict[str, Any]) -> None:
    written = ", ".join(f"dyn({part})" for part in parts)
    safe = [part for part in parts if _outcome(part, values) is not None]
    if len(safe) == len(parts):
        for macro, operator in (("exists", "||"), ("all", "&&")):
            chain = f" {operator} ".join(f"dyn({part})" for part in parts)
            assert _outcome(f"[{written}].{macro}(v, v)", values) == _outcome(chain, values)


def _outcome(source: str, values: dict[str, Any]) -> object:
    try:
        condition = compile_condition(check(parse(source), ENVIRONMENT))
        value = condition({}, SimpleNamespace(steps=1_000_000, **values))
    except (EvaluationError, CelErrors):
        return None
    return value if isinstance(value, bool) else None
