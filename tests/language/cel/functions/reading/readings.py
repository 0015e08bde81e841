"""Cases of what a text says, as data beside this file, and conditions that ask for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from guardrails.errors import EvaluationError
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.errors import CelErrors
from guardrails.language.cel.parser import parse
from guardrails.language.cel.types import STRING, RecordType
from tests.language.cel.functions.calls import call


def section(file: str, part: str) -> Any:
    """The cases of a part of a YAML file here, as parameters named by them."""
    text = Path(__file__).with_name(f"{file}.yaml").read_text(encoding="utf-8")
    return [pytest.param(case, id=f"{part}: {case['name']}") for case in yaml.safe_load(text)[part]]


def found(function: str, *arguments: object) -> Any:
    """What a reader finds, or the words of its error."""
    try:
        return call(function, *arguments)
    except EvaluationError as error:
        return str(error)


def expected(case: dict[str, Any], key: str, answer: object) -> bool:
    """Whether the answer is the case's, told in full if it is not."""
    if "refused" in case:
        assert isinstance(answer, str), answer
        assert case["refused"] in answer
    else:
        assert answer == case[key]
    return True


def ask(condition: str, text: str) -> object:
    """What a condition answers about the argument `x`, or the words of its error."""
    arguments = RecordType("map", fields={"x": STRING}, closed=True)
    environment = Environment({"arguments": arguments}, {})
    try:
        checked = check(parse(condition), environment)
        return compile_condition(checked)({"x": text}, SimpleNamespace(steps=100_000))
    except (EvaluationError, CelErrors) as error:
        return str(error)
