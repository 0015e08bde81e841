"""What a record says: decisions, outcomes and events as JSON, masked, with their digests."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson

from guardrails.audit.encoding import MASK, STRICT, Kinds, encode, pointer_part
from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.decision import Decision

Outcome = Literal["returned", "raised", "cancelled", "abandoned"]
"""How a call ended: with a value, with an exception, by cancellation of its task, or as a
generator that nobody asked for more."""

OWN_FIELDS = frozenset(
    {"sequence", "id", "timestamp", "kind", "decision_id", "prev", "seal", "hash"}
)
"""Fields that the chain writes itself, so that no event can bring them."""

OWN_KINDS = frozenset({"start", "continue", "rotate", "end", "decision", "outcome"})
"""Kinds that the log writes itself, so that no event can pass for them."""

_is_kind = re.compile(r"[a-z][a-z0-9_.-]{0,63}").fullmatch

_CACHED = 1024
"""Decisions whose JSON is kept; equal outcomes share one object, so few are alive at a time."""


class DecisionEntry(NamedTuple):
    """A judged call, as the guard hands it to the log.

    `arguments` and `context` are in judged form, which has no NaN and no infinity; `context` holds
    the facts that were read.
    `subjects` are the JSON form of who acts, the first delegator first and the one who acts last.
    `masked` names the arguments to hide. `enforced` is False where the call runs whatever was
    decided (gradual adoption). `approvers` are who approved a call that runs for it, `request` is
    the id of the request to people, "" where there is none.
    """

    tool: str
    arguments: Mapping[str, Any]
    decision: Decision
    subjects: tuple[Mapping[str, Any], ...] = ()
    session_id: str | None = None
    labels: tuple[str, ...] = ()
    context: Mapping[str, Any] | None = None
    masked: tuple[str, ...] = ()
    enforced: bool = True
    approvers: tuple[str, ...] = ()
    request: str = ""


class Encoder:
    """Entries as the fields of a record: JSON without the braces, a comma before each field.

    `key`, if there is one, makes the digest of the whole: whoever holds it can tell whether a
    masked value was the one they suspect, and nobody else can.
    """

    __slots__ = ("_key", "_results")

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self._results: dict[int, tuple[Decision, bytes]] = {}

    def decision(self, entry: DecisionEntry) -> bytes:
        """The fields of a decision: `input` as `guardrails check` reads it, `result` as it prints.

        `digest` is the SHA-256 of the JSON of `arguments` (masked) and `tool`, keys sorted, no
        spaces; `keyed_digest` is the HMAC-SHA256 of the same, unmasked.
        """
        pointers: list[str] = []
        arguments = entry.arguments
        if entry.masked:
            arguments, pointers = _masked(arguments, entry.masked)
        call = {"arguments": arguments, "tool": entry.tool}
        around = _surroundings(entry)
        kinds: Kinds = {}
        try:
            action, rest = orjson.dumps(call, option=STRICT), orjson.dumps(around, option=STRICT)
        except TypeError:
            action, kinds = encode(call, "/input")
            rest, more = encode(around, "/input")
            kinds = {**kinds, **more}
        fields = b',"input":%b%b,"digest":"sha256:%b"' % (
            action[:-1],
            b"," + rest[1:] if around else b"}",
            sha256(action).hexdigest().encode(),
        )
        rare = pointers or kinds or entry.request or entry.approvers or self._key
        if rare or len(entry.subjects) > 1:
            fields += self._rare(entry, pointers, kinds)
        known = self._results.get(id(entry.decision))
        result = self._remember(entry.decision) if known is None else known[1]
        enforced = b"true" if entry.enforced else b"false"
        return b'%b,"result":%b,"enforced":%b' % (fields, result, enforced)

    def _rare(self, entry: DecisionEntry, pointers: list[str], kinds: Kinds) -> bytes:
        """The fields that most decisions have no need of."""
        fields = b""
        if pointers:
            fields += b',"masked":%b' % orjson.dumps(pointers)
        if kinds:
            fields += b',"types":%b' % _kinds(kinds)
        if self._key:
            fields += b',"keyed_digest":"hmac-sha256:%b"' % _keyed(self._key, entry)
        if len(entry.subjects) > 1:
            fields += b',"delegated_by":%b' % encode(entry.subjects[:-1], "/delegated_by")[0]
        if entry.approvers:
            fields += b',"approvers":%b' % encode(entry.approvers)[0]
        if entry.request:
            fields += b',"request":%b' % encode(entry.request)[0]
        return fields

    def _remember(self, decision: Decision) -> bytes:
        """The JSON of a decision, kept by identity; to hold it keeps the identity its own."""
        if len(self._results) >= _CACHED:
            self._results.clear()
        text, _ = encode(decision.as_json())
        self._results[id(decision)] = (decision, text)
        return text


def _keyed(key: bytes, entry: DecisionEntry) -> bytes:
    whole, _ = encode({"arguments": entry.arguments, "tool": entry.tool})
    return hmac.digest(key, whole, "sha256").hex().encode()


def encode_outcome(
    decision_id: str, outcome: str, duration_ns: int, error: str | None = None
) -> bytes:
    """The fields of an outcome; `error` is the kind of exception that ended it, not its text."""
    fields = {"decision_id": decision_id, "duration_ns": duration_ns, "outcome": outcome}
    if error is not None:
        fields["error"] = error
    try:
        return b"," + orjson.dumps(fields, option=STRICT)[1:-1]
    except TypeError:
        return encode_fields(fields)


def encode_event(kind: str, fields: Mapping[str, Any]) -> bytes:
    """The fields of an event; raises `ConfigurationError` for those the log writes itself."""
    if not _is_kind(kind):
        raise ConfigurationError("a kind of record is a lower-case word, such as `load`")
    if kind in OWN_KINDS:
        raise ConfigurationError(f"`{kind}` is a kind of record that the log writes itself")
    if taken := OWN_FIELDS & fields.keys():
        raise ConfigurationError(f"`{min(taken)}` is a field that the log writes itself")
    return encode_fields(fields)


def encode_fields(fields: Mapping[str, Any]) -> bytes:
    """The fields of a record that is no decision, `types` added where JSON lacks one."""
    text, kinds = encode(dict(fields))
    body = b"," + text[1:-1] if fields else b""
    return b'%b,"types":%b' % (body, _kinds(kinds)) if kinds else body


def _kinds(kinds: Kinds) -> bytes:
    return encode(kinds)[0]


def _masked(arguments: Mapping[str, Any], masked: tuple[str, ...]) -> tuple[Any, list[str]]:
    hidden = [name for name in masked if name in arguments]
    shown = {**arguments, **dict.fromkeys(hidden, MASK)}
    return shown, [f"/input/arguments/{pointer_part(name)}" for name in hidden]


def _surroundings(entry: DecisionEntry) -> dict[str, Any]:
    """The input besides the call itself: only what is known, as `guardrails check` wants it."""
    around: dict[str, Any] = {}
    if entry.context:
        around["context"] = entry.context
    if entry.session_id is not None:
        session: dict[str, Any] = {"id": entry.session_id}
        if entry.labels:
            session["labels"] = sorted(entry.labels)
        around["session"] = session
    if entry.subjects:
        around["subject"] = entry.subjects[-1]
    return around
