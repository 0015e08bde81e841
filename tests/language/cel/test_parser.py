"""What conditions are read as, and what is said of those that can't be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.language.cel.errors import CelError
from guardrails.language.cel.lexer import MAX_LENGTH
from guardrails.language.cel.parser import MAX_DEPTH, parse
from guardrails.language.cel.tree import (
    Call,
    Comprehension,
    Conditional,
    Has,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Node,
    Operation,
    Select,
)
from guardrails.values import UInt

FAULTS = yaml.safe_load(Path(__file__).with_name("syntax_faults.yaml").read_text("utf-8"))


def shown(node: Node) -> str:  # noqa: C901 - one line for each kind of node
    """A tree, fully bracketed."""
    match node:
        case Literal(value=value):
            return f"{value!r}u" if isinstance(value, UInt) else repr(value)
        case Name(name=name):
            return name
        case Select(operand=operand, field=field):
            return f"{shown(operand)}.{field}"
        case Has(operand=operand, field=field):
            return f"has({shown(operand)}.{field})"
        case Call(function=function, target=target, arguments=arguments):
            before = f"{shown(target)}." if target else ""
            return f"{before}{function}({', '.join(map(shown, arguments))})"
        case Operation(operator="[]", operands=(one, other)):
            return f"{shown(one)}[{shown(other)}]"
        case Operation(operator=operator, operands=(one,)):
            return f"({operator}{shown(one)})"
        case (
            Operation(operator=operator, operands=operands)
            | Logic(operator=operator, operands=operands)
        ):
            return f"({f' {operator} '.join(map(shown, operands))})"
        case Conditional(condition=condition, chosen=chosen, otherwise=otherwise):
            return f"({shown(condition)} ? {shown(chosen)} : {shown(otherwise)})"
        case ListOf(elements=elements):
            return f"[{', '.join(map(shown, elements))}]"
        case MapOf(entries=entries):
            return "{" + ", ".join(f"{shown(key)}: {shown(value)}" for key, value in entries) + "}"
        case Comprehension(macro=macro, operand=operand, variables=variables):
            parts = [*variables, *map(shown, node.children()[1:])]
            return f"{shown(operand)}.{macro}({', '.join(parts)})"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a < b == c", "((a < b) == c)"),
        ("a || b && c || d", "(a || (b && c) || d)"),
        ("a && (b && c)", "(a && (b && c))"),
        ("a in b || !c", "((a in b) || (!c))"),
        ("!!a", "(!(!a))"),
        ("-a.b", "(-a.b)"),
        ("- 5", "-5"),
        ("--5", "(--5)"),
        ("-5.5", "-5.5"),
        ("2 - -3", "(2 - -3)"),
        ("-2.size()", "-2.size()"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a.b[c].d(e)[0]", "a.b[c].d(e)[0]"),
        (".a.b", ".a.b"),
        (".f(1)", ".f(1)"),
        ("a.if.`x-y/z`", "a.if.x-y/z"),
        ("a.while()", "a.while()"),
        ("[1, 2,]", "[1, 2]"),
        ("{1: 2, 'a': b,}", "{1: 2, 'a': b}"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("has(a.b.c)", "has(a.b.c)"),
        ("a.has(b)", "a.has(b)"),
        ("a.all(x, x > 1)", "a.all(x, (x > 1))"),
        ("a.existsOne(x, y, true)", "a.exists_one(x, y, True)"),
        ("a.map(x, y, z)", "a.map(x, y, z)"),
        ("a.filter(x, y)", "a.filter(x, y)"),
        ("all(a, b)", "all(a, b)"),
        ("true && false || null == a", "((True && False) || (None == a))"),
        ("0x1F + 017 + 3u + 0XaU", "(((31 + 17) + 3u) + 10u)"),
        (".5 + 1e3 + 2.5E-1", "((0.5 + 1000.0) + 0.25)"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("a // rest\n && b", "(a && b)"),
        ("\t\r\n\fa ", "a"),
    ],
)
def test_a_condition_is_read_by_the_precedence_of_the_specification(source: str, tree: str) -> None:
    assert shown(parse(source).root) == tree


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (r"r'\d'", r"\d"),
        (r'R"\d"', r"\d"),
        (r"br'\d'", rb"\d"),
        (r"rB'\d'", rb"\d"),
        (r"b'\xfF\377\X41é'", b"\xff\xffA\xc3\xa9"),
        (r"'\a\b\f\n\r\t\v\\\?\"\'\`'", "\a\b\f\n\r\t\v\\?\"'`"),
        (r"'\x41\X42\103\u00e9\U0001F600'", "ABC\xe9\U0001f600"),
        ("'''a\n'b'''", "a\n'b"),
        ('"""a"b\r\n"""', 'a"b\r\n'),
        ("''", ""),
        ("''''''", ""),
        ("r'''\\'''", "\\"),
        ("b''", b""),
    ],
)
def test_a_string_is_what_it_writes(source: str, value: object) -> None:
    root = parse(source).root
    assert isinstance(root, Literal)
    assert root.value == value


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case["source"])
def test_what_cant_be_read_is_told_with_its_place(case: dict[str, Any]) -> None:
    source = case["source"]
    with pytest.raises(CelError) as caught:
        parse(source)
    error = caught.value
    assert error.message == str(error) == case["fault"]
    assert source[error.start : error.end] == case["at"]
    assert case["at"] or error.start == len(source)


def test_half_a_character_in_a_string_is_refused_where_it_stands() -> None:
    for source, place in (("'ab\ud800'", 3), ("a \ud800", 2)):
        with pytest.raises(CelError, match=r"half a character") as caught:
            parse(source)
        assert (caught.value.start, caught.value.end) == (place, place + 1)


def test_places_count_code_points_and_take_brackets_in() -> None:
    source = "'\U0001f600' == (a + b).c"
    root = parse(source).root
    assert isinstance(root, Operation)
    right = root.operands[1]
    assert source[right.start : right.end] == "(a + b).c"


def test_without_macros_all_and_has_are_functions() -> None:
    assert shown(parse("has(a.b) && c.all(x, y)", macros=False).root) == "(has(a.b) && c.all(x, y))"


DEEP = [
    ("(", "a", ")"),
    ("[", "a", "]"),
    ("f(", "a", ")"),
    ("a[", "a", "]"),
    ("{1: ", "a", "}"),
    ("!", "a", ""),
    ("a ? a : ", "a", ""),
    ("a.all(x, ", "a", ")"),
    ("", "a", ".b"),
    ("", "a", " + a"),
    ("a && (a || ", "a", ")"),
]


@pytest.mark.parametrize(("before", "middle", "after"), DEEP)
def test_nesting_is_bounded(before: str, middle: str, after: str) -> None:
    parse(before * 20 + middle + after * 20)
    with pytest.raises(CelError, match=f"nested more than {MAX_DEPTH} deep"):
        parse(before * (MAX_DEPTH + 1) + middle + after * (MAX_DEPTH + 1))


def test_a_chain_of_and_is_not_nested() -> None:
    assert len(parse(" && ".join("a" * 500)).root.children()) == 500


def test_a_condition_has_a_length() -> None:
    parse(" " * (MAX_LENGTH - 1) + "a")
    with pytest.raises(CelError, match="more than 65536 characters"):
        parse(" " * MAX_LENGTH + "a")


def test_no_room_on_the_stack_is_a_fault_too() -> None:
    def descend(levels: int) -> str:
        try:
            return descend(levels - 1) if levels else shown(parse("(" * 40 + "a" + ")" * 40).root)
        except CelError as error:
            return error.message

    told = {descend(levels) for levels in range(400, 900, 10)}
    assert told == {"a", "nested more than 50 deep; split the condition into several rules"}
