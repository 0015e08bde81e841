"""The CEL specification's conformance cases: how one is run, and which are left out and why."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import yaml

from guardrails.errors import EvaluationError
from guardrails.instants import parse_duration, parse_timestamp
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.equality import key_of
from guardrails.language.cel.errors import CelError, CelErrors
from guardrails.language.cel.parser import parse
from guardrails.language.cel.relations import DENOTED
from guardrails.language.cel.types import DYN
from guardrails.values import UInt

if TYPE_CHECKING:
    from collections.abc import Callable

SECTIONS = (
    "basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic",
    "macros", "macros2", "namespace", "parse", "plumbing", "string", "string_ext", "timestamps",
)  # fmt: skip
"""The files of cases that concern conditions; the others need protobuf or other extensions."""

STEPS = 1_000_000

Case = dict[str, Any]


def cases_in(folder: Path) -> dict[str, Case]:
    """Every case of the sections, by `file/section/name`."""
    cases = {}
    for section in SECTIONS:
        for line in (folder / f"{section}.jsonl").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            cases[f"{case['file']}/{case['section']}/{case['name']}"] = case
    return cases


def left_out() -> dict[str, str]:
    """The reason for each case that is left out."""
    path = Path(__file__).parent / "conformance_left_out.yaml"
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: group["reason"] for group in groups for name in group["cases"]}


def passes(case: Case) -> bool:
    """Whether the language gives what the case asks for, and for the reason it asks for."""
    try:
        outcome = run(case)
    except CelError as error:
        return "error" in case and "messages are no part" not in error.message
    except (CelErrors, EvaluationError):
        return "error" in case
    return "value" in case and typed(outcome) == normal(case["value"])


def run(case: Case, *, condition: bool = False) -> object:
    """The value of a case; raises `CelError`, `CelErrors` or `EvaluationError`."""
    bindings = case.get("bindings", {})
    environment = Environment(dict.fromkeys((*case.get("declares", ()), *bindings), DYN))
    checked = check(
        parse(case["expr"], macros=not case.get("disable_macros", False)),
        environment,
        condition=condition,
        unchecked=case.get("disable_check", False),
    )
    frame = SimpleNamespace(steps=STEPS)
    for name, value in bindings.items():
        setattr(frame, name, plain(value))
    return compile_condition(checked)({}, frame)


def plain(value: dict[str, Any]) -> Any:
    """The value that a typed value of a case stands for."""
    ((kind, written),) = value.items()
    readers: dict[str, Callable[[Any], Any]] = {
        "int": int,
        "uint": lambda text: UInt(int(text)),
        "double": float,
        "bytes": base64.b64decode,
        "list": lambda parts: [plain(part) for part in parts],
        "map": lambda parts: {key_of(plain(key)): plain(item) for key, item in parts},
        "timestamp": parse_timestamp,
        "duration": parse_duration,
        "type": DENOTED.__getitem__,
    }
    return readers[kind](written) if kind in readers else written


def normal(value: dict[str, Any]) -> object:
    """A typed value of a case in the form of `typed`."""
    unsupported = {"object", "unsupported"} & value.keys()
    return None if unsupported else typed(plain(value))


def typed(value: object) -> object:
    """A value together with its exact type, so that `1`, `1u`, `1.0` and `true` differ."""
    if isinstance(value, list):
        return "list", [typed(part) for part in value]
    if isinstance(value, dict):
        entries = ((typed(key), typed(part)) for key, part in value.items())
        return "map", sorted(entries, key=repr)
    return type(value).__name__, repr(value)


def literal(value: dict[str, Any]) -> str:
    """A typed value of a case, written as a condition writes it."""
    ((kind, written),) = value.items()
    match kind:
        case "int" | "type":
            return str(written)
        case "uint":
            return f"{written}u"
        case "double":
            return f"double('{written}')"
        case "string":
            return _quoted(written)
        case "bytes":
            return "b'" + "".join(f"\\x{byte:02x}" for byte in base64.b64decode(written)) + "'"
        case "timestamp" | "duration":
            return f"{kind}('{written}')"
        case "list":
            return f"[{', '.join(map(literal, written))}]"
        case "map":
            return (
                "{" + ", ".join(f"{literal(key)}: {literal(part)}" for key, part in written) + "}"
            )
        case _:
            return json.dumps(written)


def _quoted(text: str) -> str:
    return "'" + "".join(f"\\U{ord(character):08x}" for character in text) + "'"
