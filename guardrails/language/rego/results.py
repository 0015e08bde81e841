"""What a rule of a module evaluated to, read as the matches that it stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect, RuleMatch, Told
from guardrails.language.rego.terms import read_terms
from guardrails.language.structure import RULE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Rule
    from guardrails.language.rego.seam import Answer

MAX_ELEMENTS = 1_000
"""How many elements a set may have."""

MAX_MESSAGE = 4_000
"""How many characters of the messages of one rule are kept."""

_SHAPE = "the result is neither a boolean nor a set of texts and objects"
_is_name = re.compile(RULE_NAME).fullmatch


class _ShapeError(Exception):
    """An element of a result that stands for nothing."""


def read_matches(rule: Rule, answer: Answer, *, observed: bool) -> tuple[RuleMatch, ...]:
    """The matches that an answer stands for, one for each id; none where it says no.

    What can't be read is a match with an error: that of an allow rule doesn't allow.
    """
    if answer.error is not None:
        return (RuleMatch(rule.name, rule.effect, answer.error, observed),)
    value = answer.value
    if not answer.defined or value is False:
        return ()
    if value is True:
        return (RuleMatch(rule.name, rule.effect, None, observed, _told_by(rule)),)
    if type(value) is not list or len(value) > MAX_ELEMENTS:
        return (RuleMatch(rule.name, rule.effect, _SHAPE, observed),)
    try:
        told = _join(_read_element(rule, element) for element in value)
    except _ShapeError as error:
        return (RuleMatch(rule.name, rule.effect, str(error), observed),)
    return tuple(
        RuleMatch(f"{rule.policy}/{name}", rule.effect, None, observed, each)
        for name, each in sorted(told.items())
    )


def _told_by(rule: Rule) -> Told:
    return Told(rule.message, rule.description, rule.controls, rule.approval)


def _join(elements: Iterator[tuple[str, Told]]) -> dict[str, Told]:
    """What is told under each id; raises for one id with several terms of approval."""
    joined: dict[str, Told] = {}
    for name, told in elements:
        known = joined.get(name)
        if known is None:
            joined[name] = told
        elif known.approval != told.approval:
            raise _ShapeError("objects of the same `id` differ in `approval`")
        else:
            messages = dict.fromkeys(part for part in (known.message, told.message) if part)
            joined[name] = told._replace(message="\n".join(messages)[:MAX_MESSAGE])
    return joined


def _read_element(rule: Rule, element: Any) -> tuple[str, Told]:
    told = _told_by(rule)
    if type(element) is str:
        return rule.id, told._replace(message=element[:MAX_MESSAGE] or rule.message)
    if type(element) is not dict:
        raise _ShapeError(_SHAPE)
    name = _text(element, "id", rule.id)
    if not _is_name(name):
        raise _ShapeError("an `id` is 1 to 128 characters of `A-Z a-z 0-9 . _ -`")
    message = _text(element, "message", _text(element, "msg", rule.message))
    controls = element.get("controls", [])
    if type(controls) is not list or not all(type(each) is str for each in controls):
        raise _ShapeError("`controls` of a result is a list of texts")
    return name, Told(
        message[:MAX_MESSAGE],
        _text(element, "description", rule.description),
        tuple(dict.fromkeys((*rule.controls, *controls))),
        _terms(rule, element),
    )


def _terms(rule: Rule, element: dict[str, Any]) -> Any:
    if "approval" not in element:
        return rule.approval
    if rule.effect is not Effect.ESCALATE:
        raise _ShapeError("`approval` goes with `escalate` only")
    try:
        return read_terms(element["approval"])
    except ValueError as error:
        raise _ShapeError(str(error)) from None


def _text(element: dict[str, Any], key: str, default: str) -> str:
    value = element.get(key, default)
    if type(value) is not str:
        raise _ShapeError(f"`{key}` of a result is a text")
    return value
