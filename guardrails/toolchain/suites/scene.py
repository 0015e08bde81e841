"""Fixtures merged, and the actions that they make with what a case adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.action import Action, SessionView, Subject
from guardrails.display import quote
from guardrails.errors import InvalidActionError
from guardrails.language.cel.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.errors import Problem
    from guardrails.language.yaml_tree import Tree


@dataclass(frozen=True, slots=True)
class Scene:
    """Parts of an action, merged in order: maps key by key, at any depth, the rest replaced.

    `layers` are what was merged, the last one first.
    """

    tree: Tree
    data: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[dict[str, Any], ...] = ()

    def over(self, layer: dict[str, Any]) -> Scene:
        """This scene with `layer` merged over it."""
        return Scene(self.tree, _merge(self.data, layer), (layer, *self.layers))

    def at(self, holder: dict[str, Any]) -> Scene:
        """This scene at the time that `holder` fixes, if it fixes one."""
        if "now" not in holder:
            return self
        return Scene(self.tree, {**self.data, "now": holder["now"]}, (holder, *self.layers))

    def holder(self, *path: str) -> Any:
        """The map, as it stands in the file, that gave what stands at `path`."""
        for layer in self.layers:
            found: Any = layer
            for step in path[:-1]:
                found = found.get(step, {})
            if path[-1] in found:
                return found
        raise KeyError(path)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = type(value) is dict and type(below) is dict
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def read_action(
    scene: Scene,
    event: Any,
    facts: frozenset[str] | None,
    problems: list[Problem],
    *,
    shared: bool,
) -> Action | None:
    """The action that `scene` is, or None with problems at `event`.

    `facts` are the declared facts of the context, None where any may be given. The action has no
    session of its own where its steps have a `shared` one.
    """
    data = scene.data
    _refuse_unknown_facts(scene, facts, problems)
    if not data.get("tool"):
        message = "no `tool`: an action names the tool it calls, or a fixture does"
        problems.append(scene.tree.problem(event, message))
        return None
    subject = _read_subject(scene, data.get("subject"), event, problems)
    session = None
    if "session" in data and not shared:
        chain = read_chain(scene, event, problems, alone=True)
        if chain is not None:
            session = open_session(data["session"], chain)
    return Action(data["tool"], data.get("arguments", {}), subject, data.get("context"), session)


def open_session(given: Mapping[str, Any], chain: tuple[Subject, ...]) -> SessionView:
    """The session of a fixture as it begins."""
    targets = given.get("targets")
    return SessionView(
        given.get("id", "session"),
        frozenset(given.get("labels", ())),
        chain,
        targets=None if targets is None else tuple(targets),
    )


def read_chain(
    scene: Scene, event: Any, problems: list[Problem], *, alone: bool = False
) -> tuple[Subject, ...] | None:
    """Those in whose name calls in the session are made; the subject is the last, unless `alone`.

    None, with problems at `event`, where one of them can't be.
    """
    members = list(scene.data.get("session", {}).get("chain", ()))
    if "subject" in scene.data and not alone:
        members.append(scene.data["subject"])
    chain = [_read_subject(scene, member, event, problems) for member in members]
    found = tuple(member for member in chain if member is not None)
    return found if len(found) == len(members) else None


def _read_subject(
    scene: Scene, given: Mapping[str, Any] | None, event: Any, problems: list[Problem]
) -> Subject | None:
    if given is None:
        return None
    if "id" not in given:
        message = "the subject has no `id`; leave `subject` out where nobody knows who acts"
        problems.append(scene.tree.problem(event, message))
        return None
    try:
        return Subject(**given)
    except InvalidActionError as error:
        problems.append(scene.tree.problem(event, f"the subject can't be judged: {error}"))
        return None


def _refuse_unknown_facts(
    scene: Scene, facts: frozenset[str] | None, problems: list[Problem]
) -> None:
    for name in scene.data.get("context", {}):
        if facts is not None and name not in facts:
            event = scene.tree.key(scene.holder("context", name), name)
            message = f"unknown context fact {quote(name)}{did_you_mean(name, facts)}"
            problems.append(scene.tree.problem(event, message))
