"""Who decides over what a module escalates: terms in a result or an annotation.

They have the form of `approval` in a YAML rule (design, section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import QUORUM_MAX, Approval, Stage, Voters
from guardrails.language.expiry import parse_timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = ("from", "quorum", "timeout", "then", "separate_from", "remember", "veto")


def read_terms(value: Any) -> Approval:
    """The terms that `value`, plain data, holds; raises ValueError, worded for people."""
    terms = _map(value, "approval", _KEYS)
    if "from" not in terms:
        raise ValueError("`approval` has no `from`: it names who may approve")
    timeout = _duration(terms, "timeout")
    remember = None if terms.get("remember", "none") == "none" else _duration(terms, "remember")
    veto = terms.get("veto", True)
    if type(veto) is not bool:
        raise ValueError("`veto` is true or false")
    stages = sorted(_stages(terms, timeout), key=lambda stage: stage.after_ns)
    return Approval(
        groups=tuple(_groups(terms)),
        timeout_ns=timeout,
        stages=tuple(stages),
        separate_from=_names(terms.get("separate_from", []), "separate_from", least=0),
        remember_ns=remember,
        veto=veto,
    )


def _groups(terms: dict[str, Any]) -> Iterator[Voters]:
    given = terms["from"]
    if type(given) is not dict:
        yield Voters(_names(given, "from"), _quorum(terms.get("quorum", 1)))
        return
    if "quorum" in terms:
        raise ValueError("`quorum` goes with a list in `from`; a map says how many of each")
    for name in _names(list(given), "from"):
        yield Voters((name,), _quorum(given[name]))


def _stages(terms: dict[str, Any], timeout: int | None) -> Iterator[Stage]:
    stages = terms.get("then", [])
    if type(stages) is not list:
        raise ValueError("`then` is a list")
    for each in stages:
        stage = _map(each, "then", ("after", "from"))
        after = _duration(stage, "after")
        if after is None or (timeout is not None and after >= timeout):
            raise ValueError("`after` is a time before the `timeout`")
        yield Stage(after, _names(stage.get("from"), "from"))


def _map(value: Any, key: str, known: tuple[str, ...]) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError(f"`{key}` is a map")
    for name in value:
        if name not in known:
            hint = did_you_mean(str(name), known)
            raise ValueError(f"unknown key {quote(str(name))} in `{key}`{hint}")
    return value


def _names(value: Any, key: str, least: int = 1) -> tuple[str, ...]:
    names = [value] if type(value) is str else value
    if type(names) is not list or not all(type(name) is str and name for name in names):
        raise ValueError(f"`{key}` is a list of names")
    if len(names) < least:
        raise ValueError(f"`{key}` names nobody")
    return tuple(names)


def _quorum(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= QUORUM_MAX:
        raise ValueError(f"a quorum is 1 to {QUORUM_MAX}")
    return value


def _duration(terms: dict[str, Any], key: str) -> int | None:
    if key not in terms:
        return None
    text = terms[key]
    if type(text) is not str:
        raise ValueError(f"`{key}` is a duration such as `30m`")
    try:
        return parse_timeout(text)
    except ValueError as error:
        raise ValueError(f"`{key}` is {error}") from None
