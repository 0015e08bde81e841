"""What the engine says of a fault, told as this library tells faults."""

from __future__ import annotations

import re

from guardrails.language.rego.seam import ParseFailure

_PLACE = re.compile(r"^--> (.*):([0-9]+):([0-9]+)$", re.MULTILINE)
_ERROR = re.compile(r"^error: (.*)$", re.MULTILINE)

_TOLD = (
    "divide by zero",
    "modulo by zero",
    "rule conflicts",
    "rules must not produce multiple outputs",
    "recursion detected",
    "could not find function",
)
"""Beginnings of errors that hold no value of the action; of others only the place is told."""


def parse_failure(text: str) -> ParseFailure:
    """What is wrong with a module, and where, from the engine's account of it."""
    place, error = _PLACE.search(text), _ERROR.search(text)
    message = error[1] if error else text.strip().splitlines()[0]
    message = message[:1].lower() + message[1:].removesuffix(".")
    if "Missing package declaration" in message:
        message = "the module has no `package`"
    if place is None:
        return ParseFailure(message)
    return ParseFailure(message, int(place[2]), int(place[3]), place[1])


def tell_fault(text: str) -> str:
    """Why a rule has no value, with its place, and without any value of the action."""
    place, error = _PLACE.search(text), _ERROR.search(text)
    at = f" at {place[1]}:{place[2]}:{place[3]}" if place else ""
    if error is None:
        return f"the evaluation failed{at}"
    told = next((each for each in _TOLD if error[1].startswith(each)), "")
    if told:
        return f"{told}{at}"
    return f"the evaluation failed{at}: a built-in function refused what it was given"
