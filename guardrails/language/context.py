"""The declared facts of the context: which are admitted, and what conditions see of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.json_form import json_form
from guardrails.language.cel.types import RecordType, Type
from guardrails.language.coercion import Form, build_form
from guardrails.language.dialect import SchemaFault
from guardrails.language.schema_faults import read_schema
from guardrails.language.schema_types import TypeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Fact:
    """A declared fact: its JSON Schema, and the type that a condition may rely on."""

    name: str
    schema: Any
    type: Type = field(compare=False, repr=False)
    _is_valid: Callable[[Any], bool] = field(compare=False, repr=False)
    _form: Form | None = field(compare=False, repr=False)

    def admits(self, value: Any) -> bool:
        """Whether a judged value satisfies the schema; what JSON can't hold satisfies none."""
        try:
            return self._is_valid(json_form(value))
        except ValueError:
            return False

    def coerce(self, value: Any) -> Any:
        """The value with its numbers of the declared types."""
        return value if self._form is None else self._form.apply(value)


@dataclass(frozen=True, slots=True)
class ContextSchema:
    """The facts that all documents together declare, by name."""

    facts: Mapping[str, Fact]

    @property
    def type(self) -> RecordType:
        """What a condition may rely on of `context`."""
        fields = {name: fact.type for name, fact in self.facts.items()}
        return RecordType("map", fields=fields, closed=True, noun="context fact")

    def admit(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The judged facts that are declared and satisfy their schemas; others are missing."""
        return {
            name: fact.coerce(context[name])
            for name, fact in self.facts.items()
            if name in context and fact.admits(context[name])
        }


def read_fact(name: str, schema: Any) -> tuple[Fact | None, list[SchemaFault]]:
    """The fact that `schema` declares, and the schema's faults; their paths lead from it."""
    validator, faults = read_schema(schema)
    if faults:
        return None, faults
    try:
        return _make(name, schema, validator), []
    except SchemaFault as fault:
        return None, [fault]


def _make(name: str, schema: Any, validator: Any) -> Fact:
    type_ = TypeReader(schema).type_of(schema)
    return Fact(name, schema, type_, validator.is_valid, build_form(schema, schema))


def join_facts(facts: Iterable[Fact]) -> ContextSchema | None:
    """The schema of the context, None where no fact is declared."""
    by_name = {fact.name: fact for fact in facts}
    return ContextSchema(by_name) if by_name else None
