"""Calls that rules match, found by reasoning and confirmed by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.action import Action, Subject
from guardrails.engine import Facts
from guardrails.toolchain.regions.region import MISSING, TRUE, kinds
from guardrails.toolchain.regions.search import Undecided
from guardrails.toolchain.regions.telling import tell_value
from guardrails.toolchain.regions.terms import name_of_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.language.document import Rule
    from guardrails.toolchain.regions.reach import Reach
    from guardrails.toolchain.regions.search import Values
    from guardrails.toolchain.regions.terms import Path
    from guardrails.values import Timestamp

_TOLD = 3
"""Of how many arguments a witness tells the value."""

_NOT_TOLD = kinds("list", "map", "type", "error")


class Witness(NamedTuple):
    """A call; `told` is what matters of it, as "`arguments.amount` is `500`"."""

    action: Action
    told: str


def find_witness(reach: Reach, tool: str, rules: Sequence[Rule]) -> Witness | None:
    """A call of `tool` that all of `rules` match, as the engine says itself; None if none is found.

    That none is found does not mean that there is none.
    """
    try:
        values = reach.find(tool, *(reach.match(rule, tool) for rule in rules))
    except Undecided:
        return None
    if values is None:
        return None
    paths = _choose(reach, tool, values)
    action = Action(
        tool, _under(paths, "arguments"), _subject(reach, values, paths), _under(paths, "context")
    )
    now: Timestamp | None = paths.get(("now",))
    decision = reach.policies.decide(action, Facts(now.ns if now else reach.now_ns))
    matched = {match.rule for match in decision.matches}
    if not matched.issuperset(rule.name for rule in rules):
        return None
    return Witness(action, _tell(values, paths))


def _choose(reach: Reach, tool: str, values: Values) -> dict[Path, Any]:
    """A value for every path that is asked about or required."""
    world = reach.world(tool)
    asked = (path for path in world.paths() if name_of_path(path) in values)
    chosen: dict[Path, Any] = {}
    for path in dict.fromkeys((*world.required(), *asked)):
        name = world.path(path)
        region = values.get(name) or world.domain(name)
        told = region & ~_NOT_TOLD
        if told:
            chosen[path] = told.sample()
        elif path in world.required():
            chosen[path] = region.sample()
    return chosen


def _under(paths: dict[Path, Any], variable: str) -> dict[str, Any]:
    """The map that `variable` is, from the values of the paths in it."""
    root: dict[str, Any] = {}
    for path, value in sorted(paths.items(), key=lambda each: len(each[0])):
        if path[0] == variable and len(path) > 1 and value is not MISSING:
            holder = root
            for key in path[1:-1]:
                holder = holder.setdefault(key, {})
            holder[path[-1]] = value
    return root


def _subject(reach: Reach, values: Values, paths: dict[Path, Any]) -> Subject | None:
    """Who calls; nobody known, where nothing is asked of that."""
    known = values.get("subject")
    if known is not None and known.disjoint(kinds("map")):
        return None
    facts = _under(paths, "subject")
    roles = [role for role, term in reach.role_terms() if values.get(term) == TRUE]
    return Subject(facts.get("id") or "somebody", roles, facts.get("on_behalf_of", ""))


def _tell(values: Values, paths: dict[Path, Any]) -> str:
    """What matters of the chosen values, arguments first."""
    asked = [each for each in paths.items() if len(each[0]) > 1 and name_of_path(each[0]) in values]
    asked.sort(key=lambda each: each[0])
    said = [
        f"`{name_of_path(path)}` is "
        + ("missing" if value is MISSING else f"`{tell_value(value)}`")
        for path, value in asked[:_TOLD]
    ]
    return " and ".join(said)
