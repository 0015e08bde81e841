"""What conditions mean, and what is said of those that mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.language.cel.checker import check
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.errors import CelErrors
from guardrails.language.cel.parser import parse
from guardrails.language.cel.tree import Checked, Literal, Operation
from guardrails.language.cel.types import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    RecordType,
    list_of,
    map_of,
)
from guardrails.values import MapKey

FAULTS = yaml.safe_load(Path(__file__).with_name("check_faults.yaml").read_text("utf-8"))

TRANSFER = "`payments.transfer`"
ADDRESS = RecordType("map", fields={"city": STRING}, closed=True, of=TRANSFER)

ENVIRONMENT = Environment(
    {
        "tool": STRING,
        "now": TIMESTAMP,
        "context": RecordType("map", fields={"change": DYN}),
        "subject": RecordType("map", fields={"id": STRING, "roles": list_of(STRING)}, closed=True),
        "arguments": RecordType(
            "map",
            fields={"amount": DOUBLE, "to": STRING, "tags": list_of(STRING), "address": ADDRESS},
            closed=True,
            noun="argument",
            of=TRANSFER,
        ),
        "constants": RecordType(
            "map", fields={"limit": INT, "banks": list_of(STRING)}, closed=True, noun="constant"
        ),
    },
    {"limit": 500, "banks": ["a", "b"], "byte": {MapKey.TRUE: 1}},
)


def checked(source: str) -> Checked:
    return check(parse(source), ENVIRONMENT)


@pytest.mark.parametrize(
    "case",
    [case for group in FAULTS.values() for case in group],
    ids=lambda case: str(case["when"]),
)
def test_every_fault_is_told_with_its_place(case: dict[str, Any]) -> None:
    source = "null" if case["when"] is None else str(case["when"])
    with pytest.raises(CelErrors) as caught:
        checked(source)
    told = {
        source[problem.start : problem.end]: problem.message for problem in caught.value.problems
    }
    assert told == {str(place): message for place, message in case["faults"].items()}
    assert len(told) == len(caught.value.problems)
    assert str(caught.value) == "\n".join(told.values())


@pytest.mark.parametrize(
    "source",
    [
        "arguments.amount > 500",  # numbers of different types compare
        "arguments.amount in [1, 2u, 3.0]",
        "arguments.amount == 1u",
        "1.5 in {1: 'a'}",
        "now == null",
        "null != now - now",
        "dyn(arguments.to) == 5",
        "[1, 'a'] == [1]",
        "[] == ['a'] || [] + [1] == [1]",
        "context.change > 5 && context.other",
        "context[tool] == 1",
        "{'a': 1}[dyn(5)] == 1",
        "dyn(arguments)['amount'] == 1",
        "dyn(1) + 1 == 2",
        "dyn(1) + dyn('a') == dyn(2)",
        "dyn([1]) + [1] == [1]",
        "-dyn(1) == 1 || !dyn(true)",
        "(true ? dyn(1) : 'a') == 'a'",
        "(true ? null : now) == null",
        "(true ? [1] : ['a', 1]) == []",
        "dyn(1).all(k, v, k == v)",
        "arguments.all(k, v, k == 'a' && v == 1)",
        "subject.roles.map(r, r == 'a', r + 'b') == ['b']",
        "arguments.tags.transformMap(i, v, i > 0, v).size() == 0",
        "arguments.tags.all(x, [1].all(x, x == 1) && x == 'a')",
        "type(tool) == string && type(now) == google.protobuf.Timestamp",
        "size(arguments) > 2 && arguments.address.city == 'a'",
        "arguments['amount'] > 1.5",
        "strings.quote(tool) == tool",
        "duration(dyn('1h')) > duration('1s')",
        "[1.5, 2][0] == 1",
        "[constants.limit][0] == 1",
        "dyn(1)[0]",
        "dyn(tool) in dyn(tool) && dyn(tool) in arguments.tags",
        "arguments.tags[dyn(0)] == ''",
        "(dyn(1) < 2) == (now < dyn(now))",
    ],
)
def test_what_can_be_true_is_let_pass(source: str) -> None:
    assert checked(source).type in (BOOL, DYN)


@pytest.mark.parametrize(
    ("source", "variables", "selects"),
    [
        ("true", "", ""),
        ("arguments.amount > 5", "arguments", "arguments.amount"),
        ("has(arguments.to) && tool == 'a'", "arguments tool", "arguments.to tool.*"),
        ("arguments['to'] == 'a'", "arguments", "arguments.to"),
        ("'tags' in arguments", "arguments", "arguments.tags"),
        ("arguments.address.city == 'a'", "arguments", "arguments.address"),
        ("arguments[tool] == 1", "arguments tool", "arguments.* tool.*"),
        ("arguments.exists(k, k == 'a')", "arguments", "arguments.*"),
        ("arguments.tags.exists(tool, tool == 'a')", "arguments", "arguments.tags"),
        ("arguments.tags.exists(tool, .tool == 'a')", "arguments tool", "arguments.tags tool.*"),
        ("'a' in subject.roles", "subject", "subject.roles"),
        ("arguments.amount > constants.limit", "arguments constants",
         "arguments.amount constants.limit"),
    ],
)  # fmt: skip
def test_what_is_read_is_recorded(source: str, variables: str, selects: str) -> None:
    seen = checked(source)
    assert seen.variables == set(variables.split())
    assert {".".join(pair) for pair in seen.selects} == set(selects.split())


def test_looking_into_a_list_reads_it_as_a_whole() -> None:
    environment = Environment({"traits": list_of(STRING)})
    assert check(parse("'read' in traits"), environment).selects == {("traits", "*")}


def test_constants_are_literals() -> None:
    root = checked("arguments.to in constants.banks").root
    assert isinstance(root, Operation)
    assert root.operands[1] == Literal(16, 31, ["a", "b"], type=list_of(STRING))
    lookup = checked("constants['limit'] == 500").root
    assert isinstance(lookup, Operation)
    assert isinstance(lookup.operands[0], Literal)
    assert checked("constants == {}").variables == {"constants"}


def test_a_constant_map_may_have_any_key() -> None:
    environment = Environment({"constants": map_of(DYN, DYN)}, {"byte": {MapKey.TRUE: 1}})
    assert check(parse("constants.byte == {true: 1}"), environment).type == BOOL
    assert check(parse("constants.other == 1"), environment).type == BOOL


def test_names_may_have_dots_and_the_longest_wins() -> None:
    environment = Environment({"a": map_of(STRING, DYN), "a.b": INT, "a.b.c": STRING})
    assert check(parse("a.b.c == 'x' && a.b == 1 && a.c == 2"), environment).variables == {
        "a",
        "a.b",
        "a.b.c",
    }
    local = check(parse("[{'b': 1}].all(a, a.b == 1)"), environment)
    assert local.variables == frozenset()


def test_unchecked_refuses_nothing() -> None:
    wrong = parse("1 + 'a' || nothing || nothing() || tool.qqq || {1.5: 1}")
    assert check(wrong, ENVIRONMENT, unchecked=True).type == BOOL


def test_an_expression_may_have_any_type_where_no_condition_is_asked_for() -> None:
    assert check(parse("[1]"), ENVIRONMENT, condition=False).type == list_of(INT)
    assert check(parse("now"), ENVIRONMENT, condition=False).type == TIMESTAMP


def test_what_is_checked_knows_its_text() -> None:
    assert checked(" tool == 'a' ").text == "tool == 'a'"
