"""A decision of the log, explained from what its record holds."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.action import SessionView, Subject
from guardrails.audit.encoding import pointer_part
from guardrails.audit.reading import Filter, records
from guardrails.decision import Code, Decision, Effect, RuleMatch, UsedException
from guardrails.engine.facts import Circumstances
from guardrails.errors import EvaluationError, InvalidActionError, LogDamaged
from guardrails.instants import parse_duration, parse_timestamp
from guardrails.snapshot import Snapshot
from guardrails.toolchain.case import Case
from guardrails.toolchain.explain import BEFORE_RULES, explain_case, explain_refusal
from guardrails.toolchain.explanation import EXCEPTED, FAILED, MATCHED, UNKNOWN, UNMATCHED
from guardrails.values import MapKey, Opaque, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.engine import PolicySet
    from guardrails.toolchain.explanation import Explanation, RuleTold

_MASKED = "it is masked in the log"
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, RecursionError, EvaluationError,
               InvalidActionError)  # fmt: skip


class Recorded(NamedTuple):
    """What a record says of a judged call: its id and time, the parts, and what was decided.

    `values` are the arguments in judged form, those of `masked` opaque.
    """

    id: str
    timestamp: str
    tool: str
    values: dict[str, Any]
    masked: tuple[str, ...]
    circumstances: Circumstances
    decision: Decision


@dataclass(frozen=True, slots=True)
class RecordedExplanation:
    """An explanation by the policies at hand of a decision that the log holds.

    Where arguments are masked, `explanation` tells the recorded decision, else the one that these
    policies make now.
    """

    recorded: Recorded
    explanation: Explanation
    revision: str

    @property
    def same_policies(self) -> bool:
        """Whether the policies at hand, of digest `revision`, are those that decided."""
        return self.recorded.decision.revision == self.revision

    @property
    def undetermined(self) -> bool:
        """Whether the record does not tell enough to decide again as it was decided."""
        then, now = self.recorded.decision, self.explanation.decision
        differs = (then.effect, then.code) != (now.effect, now.code)
        return bool(self.recorded.masked) or (self.same_policies and differs)

    def as_json(self) -> dict[str, Any]:
        """The explanation as the command line prints it, what was recorded beside it."""
        return {
            "id": self.recorded.id,
            "timestamp": self.recorded.timestamp,
            "recorded": self.recorded.decision.as_json(),
            "masked": list(self.recorded.masked),
            "revision": self.revision,
            "same_policies": self.same_policies,
            "undetermined": self.undetermined,
            **self.explanation.as_json(),
        }


def explain_recorded(policies: PolicySet, folder: str, id: str) -> RecordedExplanation:  # noqa: A002
    """The decision `id` of the log in `folder`, explained by `policies`.

    `id` may be that of the decision or of its outcome. Raises `LogDamaged` where the log has no
    such decision or its record can't be read.
    """
    recorded = read_decision(find_decision(folder, id))
    explanation = _explain_masked if recorded.masked else _explain_anew
    return RecordedExplanation(recorded, explanation(policies, recorded), policies.revision)


def _explain_anew(policies: PolicySet, recorded: Recorded) -> Explanation:
    if recorded.decision.code is Code.INVALID_ACTION:  # the log holds nothing of what was given
        return explain_refusal(policies, recorded.tool, recorded.decision)
    case = _case(policies, recorded)
    snapshot = Snapshot(recorded.values, {}, plain=False)
    decision = policies.judge(case.plan, snapshot, recorded.circumstances)
    if decision.code in BEFORE_RULES:
        return explain_refusal(policies, recorded.tool, decision)
    return explain_case(policies, case, decision)


def _explain_masked(policies: PolicySet, recorded: Recorded) -> Explanation:
    """The recorded decision explained: what each rule said is taken from the record too."""
    decision = recorded.decision
    if decision.code in BEFORE_RULES:
        return explain_refusal(policies, recorded.tool, decision)
    settle = _settle_by(decision) if decision.revision == policies.revision else _doubt
    return explain_case(policies, _case(policies, recorded), decision, settle)


def _case(policies: PolicySet, recorded: Recorded) -> Case:
    plan = policies.plan(recorded.tool)
    schema = None if plan.declared is None else plan.declared.arguments
    values = recorded.values if schema is None else schema.coerce(recorded.values)
    return Case(plan, values, recorded.circumstances)


def _settle_by(decision: Decision) -> Callable[[RuleTold], RuleTold]:
    """What rules said by the record of the decision, which saw what is masked."""
    outcomes: dict[str, tuple[str, str | None]] = {}
    outcomes |= {used.rule: (EXCEPTED, None) for used in decision.exceptions}
    outcomes |= {match.rule: (FAILED, match.error) for match in decision.errors}
    outcomes |= {match.rule: (MATCHED, match.error) for match in decision.matches}

    def settle(told: RuleTold) -> RuleTold:
        outcome, error = outcomes.get(told.rule.name, (UNMATCHED, None))
        return replace(told, outcome=outcome, error=error)

    return settle


def _doubt(told: RuleTold) -> RuleTold:
    """A rule that other policies have now: what it said is unknown where it met what is masked."""
    return told if told.error is None else replace(told, outcome=UNKNOWN)


def find_decision(folder: str, id: str) -> dict[str, Any]:  # noqa: A002
    """The record of a decision, by its id or that of its outcome; nothing is verified."""
    found = [record.data for record in records(folder, Filter(id=id)) if not record.problem]
    outcome = next((data for data in found if data.get("kind") == "outcome"), None)
    decision = next((data for data in found if data.get("kind") == "decision"), None)
    if decision is None and outcome is not None and outcome.get("decision_id") != id:
        return find_decision(folder, str(outcome.get("decision_id")))
    if decision is None:
        raise LogDamaged(f"{folder}: no decision `{id}` in this log")
    return decision


def read_decision(data: dict[str, Any]) -> Recorded:
    """What the record of a decision says; raises `LogDamaged` where it says it in no known way."""
    try:
        return _read_decision(data)
    except _UNREADABLE as error:
        raise LogDamaged(f"record `{data.get('id')}` can't be read as a decision") from error


def _read_decision(data: dict[str, Any]) -> Recorded:
    given, types = data["input"], dict(data.get("types", {}))
    pointers = tuple(data.get("masked", ()))
    types.update(dict.fromkeys(pointers, "masked"))
    if type(given["tool"]) is not str or type(given["arguments"]) is not dict:
        raise TypeError("a decision is about a tool and its arguments")
    acting = [given["subject"]] if "subject" in given else []
    chain = tuple(Subject(**subject) for subject in (*data.get("delegated_by", ()), *acting))
    return Recorded(
        id=str(data["id"]),
        timestamp=str(data["timestamp"]),
        tool=given["tool"],
        values=_restore(given["arguments"], "/input/arguments", types),
        masked=tuple(_last_part(pointer) for pointer in pointers),
        circumstances=Circumstances(
            chain,
            _restore(given.get("context", {}), "/input/context", types),
            _read_session(given.get("session"), chain),
            parse_timestamp(data["timestamp"]).ns,
        ),
        decision=_read_result(data["result"]),
    )


def _read_session(session: Any, chain: tuple[Subject, ...]) -> SessionView | None:
    if session is None:
        return None
    return SessionView(session["id"], frozenset(session.get("labels", ())), chain)


def _last_part(pointer: str) -> str:
    """The name at the end of a JSON pointer (RFC 6901, section 4)."""
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _restore(value: Any, at: str, types: dict[str, str]) -> Any:
    """The judged value that was written as `value`; `types` names what JSON has no type for."""
    kind = types.get(at)
    if kind == "map":
        pairs = [
            tuple(_restore(part, f"{at}/{row}/{side}", types) for side, part in enumerate(pair))
            for row, pair in enumerate(value)
        ]
        return dict(pairs)
    if kind is not None:
        return _READ_KIND.get(kind, str)(value)
    if type(value) is list:
        return [_restore(part, f"{at}/{place}", types) for place, part in enumerate(value)]
    if type(value) is dict:
        return {
            key: _restore(part, f"{at}/{pointer_part(key)}", types) for key, part in value.items()
        }
    return value


_READ_KIND: dict[str, Any] = {
    "bytes": b64decode,
    "duration": parse_duration,
    "float": float,
    "int": lambda text: Opaque("an integer beyond 64 bits", int(text, 0)),
    "key": MapKey,
    "masked": lambda _: Opaque(_MASKED),
    "opaque": Opaque,
    "timestamp": parse_timestamp,
    "uint": UInt,
}
"""How the log's kinds are read back; text with lone surrogates stays as it was escaped."""


def _read_result(result: dict[str, Any]) -> Decision:
    return Decision(
        effect=Effect[result["effect"].upper()],
        code=Code(result["code"]),
        matches=tuple(map(_read_match, result["matches"])),
        errors=tuple(map(_read_match, result["errors"])),
        would=Effect[result["would"].upper()],
        message=str(result["message"]),
        revision=str(result["revision"]),
        exceptions=tuple(
            UsedException(used["rule"], used["reason"]) for used in result.get("exceptions", ())
        ),
    )


def _read_match(match: dict[str, Any]) -> RuleMatch:
    effect = Effect[match["effect"].upper()]
    return RuleMatch(match["rule"], effect, match["error"], match["observed"])
