"""What an agent proposes: a tool call, who makes it, and the facts the host gives with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.errors import InvalidActionError
from guardrails.snapshot import judge_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from guardrails.past import Past

MAX_NAME = 128
"""How many characters a tool's name may have."""

is_tool_name = re.compile(rf"[A-Za-z0-9_.:/-]{{1,{MAX_NAME}}}").fullmatch
"""Match a well-formed tool name; whatever else looks like one is refused, not normalised."""


@dataclass(frozen=True, slots=True, init=False)
class Subject:
    """Who acts: an agent's id and roles, and the person on whose behalf it acts ("" if none).

    `attributes` are further facts about it, of JSON's kinds. Raises InvalidActionError for an
    empty id and for values of other kinds.
    """

    id: str
    roles: tuple[str, ...]
    on_behalf_of: str
    attributes: Mapping[str, Any]
    judged: Mapping[str, Any] = field(repr=False, compare=False)
    """The attributes as conditions see them."""

    def __init__(
        self,
        id: str,  # noqa: A002 - the name in policies and in the log
        roles: Iterable[str] = (),
        on_behalf_of: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(roles, str):
            raise InvalidActionError("the roles of a subject are a list of names")
        judged = judge_value(_taken(dict, attributes or (), "attributes of a subject"))
        if type(judged) is not dict or not all(type(key) is str for key in judged):
            raise InvalidActionError("the attributes of a subject are a map from names to values")
        values = {
            "id": _name(id, "id of a subject"),
            "roles": tuple(
                _name(role, "role of a subject")
                for role in _taken(tuple, roles, "roles of a subject")
            ),
            "on_behalf_of": _text(on_behalf_of, "person a subject acts for"),
            "attributes": MappingProxyType(judged),
            "judged": judged,
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __hash__(self) -> int:
        return hash((self.id, self.roles, self.on_behalf_of))


class SessionView(NamedTuple):
    """A session as conditions see it.

    `chain` are the subjects of a delegation, the first delegator first and the one who acts last;
    empty where the session doesn't say. `past` is what happened in it, None where nobody knows.
    `targets` are what its task is about, None where no task was given.
    """

    id: str
    labels: frozenset[str] = frozenset()
    chain: tuple[Subject, ...] = ()
    past: Past | None = None
    targets: tuple[str, ...] | None = None


class Action:
    """A proposed call of `tool` with `arguments` by name.

    Where there is no `subject`, it is unknown, and so are the facts of `context` that are missing
    and the `session`: what is unknown never allows. Nothing is checked before it is judged.

    An instance is immutable. Its fields are slots behind properties: of the ways to make a value
    that can't be changed this is the quickest, and one is made for every decision.
    """

    __slots__ = ("_arguments", "_around", "_tool")

    def __init__(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        subject: Subject | None = None,
        context: Mapping[str, Any] | None = None,
        session: SessionView | None = None,
    ) -> None:
        self._tool = tool
        self._arguments = arguments
        if subject is None and context is None and session is None:
            self._around = None
        else:
            self._around = (subject, context, session)

    @property
    def tool(self) -> str:
        """The name of the tool."""
        return self._tool

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments by name; empty where none were given."""
        return {} if self._arguments is None else self._arguments

    @property
    def subject(self) -> Subject | None:
        """Who acts, or None where nobody says."""
        return None if self._around is None else self._around[0]

    @property
    def context(self) -> Mapping[str, Any] | None:
        """The facts given with the action."""
        return None if self._around is None else self._around[1]

    @property
    def session(self) -> SessionView | None:
        """The session around the call, or None where there is none."""
        return None if self._around is None else self._around[2]

    def __eq__(self, other: object) -> bool:
        return type(other) is Action and all(
            getattr(self, name) == getattr(other, name) for name in Action.__slots__
        )

    __hash__ = None  # type: ignore[assignment]  # its arguments are a dict

    def __repr__(self) -> str:
        return (
            f"Action({self.tool!r}, {self.arguments!r}, {self.subject!r}, {self.context!r},"
            f" {self.session!r})"
        )


def _taken(kind: Callable[[Any], Any], given: Any, what: str) -> Any:
    """`kind(given)`, or InvalidActionError where that can't be."""
    try:
        return kind(given)
    except Exception:  # noqa: BLE001 - the class of `given` may be anyone's
        msg = f"the {what} can't be read"
        raise InvalidActionError(msg) from None


def _text(value: object, what: str) -> str:
    judged = judge_value(value)
    if type(judged) is not str:
        msg = f"the {what} is a text"
        raise InvalidActionError(msg)
    return judged


def _name(value: object, what: str) -> str:
    text = _text(value, what)
    if not text:
        msg = f"the {what} is empty"
        raise InvalidActionError(msg)
    return text
