"""The declared arguments of a tool: what a call may give, and what conditions see of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.cel.types import RecordType
from guardrails.language.coercion import Form, build_form, concerns_numbers
from guardrails.language.complaints import complain
from guardrails.language.dialect import SchemaFault, subschemas
from guardrails.language.document import KINDS
from guardrails.language.schema_faults import read_schema
from guardrails.language.schema_types import TypeReader
from guardrails.values import Opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_FREE = frozenset({"$comment", "default", "description", "examples", "kind", "title"})
"""Keywords that check nothing: under them alone, anything may be given."""


@dataclass(frozen=True, slots=True)
class ArgumentsSchema:
    """What a tool may be called with; made by `read_arguments`.

    `properties` are the JSON Schemas by argument, `required` those that every call must give,
    `type` is what a condition may rely on of `arguments`, `kinds_of` the arguments of each kind,
    `names` are the arguments and the fields at any depth that the schema names.
    """

    properties: Mapping[str, Any]
    required: frozenset[str]
    definitions: Mapping[str, Any]
    kinds_of: Mapping[str, tuple[str, ...]]
    names: frozenset[str] = field(compare=False, repr=False)
    type: RecordType = field(compare=False, repr=False)
    _validate: Callable[[Any], None] = field(compare=False, repr=False)
    _forms: tuple[tuple[str, Form], ...] = field(compare=False, repr=False)
    _forms_of_plain: tuple[tuple[str, Form], ...] = field(compare=False, repr=False)
    _refuse_null: frozenset[str] = field(compare=False, repr=False)

    def problem(self, values: dict[str, Any]) -> str | None:
        """What is wrong with the JSON form of a call's arguments, or None; never raises.

        The failing argument is named, and what it should be, but no value.
        """
        try:
            self._validate(values)
        except ValueError as error:
            kind = getattr(error, "kind", None)
            return self._explain_opaque(values) if kind is None else self._explain(error, kind)
        return None

    def coerce(self, values: dict[str, Any], *, plain: bool = False) -> dict[str, Any]:
        """Judged arguments brought to the declared types; `values` where none changes.

        What would change its value becomes `Opaque`. `plain` says that `values` is JSON as it
        stands.
        """
        coerced = values
        for name, form in self._forms_of_plain if plain else self._forms:
            if name in values:
                given = values[name]
                if type(given) is form.settled:
                    continue
                value = form.apply(given)
                if value is not given:
                    coerced = dict(values) if coerced is values else coerced
                    coerced[name] = value
        return coerced

    def kinds(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of each kind that the tool declares, lists flattened, nulls left out.

        A kind is `Opaque` as a whole where one of its values is: how many that stands for, nobody
        can tell.
        """
        return {kind: _gather(values, names) for kind, names in self.kinds_of.items()}

    def refuses_null(self, name: str) -> bool:
        """Whether null is no value that the argument may have."""
        return name in self._refuse_null

    def _explain(self, error: Any, kind: Any) -> str:
        path = error.instance_path
        if path:
            return f"argument {quote(self._place(path))} {complain(error)}"
        if kind.name == "required":
            return f"argument {quote(kind.property)} is missing"
        name = min(kind.unexpected)
        return f"unknown argument {quote(name)}{did_you_mean(name, self.properties)}"

    def _place(self, path: list[str | int]) -> str:
        """Where in the arguments; a key that no schema names could be a value, so it is hidden."""
        shown = str(path[0])
        for step in path[1:]:
            if type(step) is int:
                shown += f"[{step}]"
            else:
                shown += f".{step}" if step in self.names else ".*"
        return shown

    def _explain_opaque(self, values: dict[str, Any]) -> str | None:
        """The problem of arguments that have no JSON form as a whole.

        What can't be judged may stand where the schema checks nothing; there it counts as null.
        """
        judged = dict(values)
        for name, value in values.items():
            reason = next(_find_opaque(value), None)
            if reason is None:
                continue
            if not _is_free(self.properties.get(name, False)):
                return f"argument {quote(name)} can't be judged: {reason}"
            judged[name] = None
        if judged == values:
            return "the arguments can't be checked: they hold what JSON can't"
        return self.problem(judged)


def _gather(values: dict[str, Any], names: Iterable[str]) -> list[Any] | Opaque:
    found = [each for name in names if name in values for each in _flatten(values[name])]
    return next((each for each in found if type(each) is Opaque), found)


def _flatten(value: Any) -> Iterator[Any]:
    if type(value) is list:
        for item in value:
            yield from _flatten(item)
    elif type(value) is dict:
        yield Opaque("a map, in which nobody can tell how many values of a kind there are")
    elif value is not None:
        yield value


def _find_opaque(value: Any) -> Iterator[str]:
    """Why parts of `value` can't be judged."""
    if type(value) is Opaque:
        yield value.reason
    elif type(value) in (list, dict):
        for item in value.values() if type(value) is dict else value:
            yield from _find_opaque(item)


def _is_free(schema: Any) -> bool:
    return schema is True or (type(schema) is dict and schema.keys() <= _FREE)


def read_arguments(
    tool: str, arguments: dict[str, Any], required: Sequence[str], definitions: dict[str, Any]
) -> tuple[ArgumentsSchema | None, list[SchemaFault]]:
    """The schema that a tool's keys `arguments`, `required` and `$defs` make, and their faults.

    `required` names arguments. The paths of faults lead from the tool.
    """
    faults = list(_check_kinds(arguments))
    properties = {name: _without_kind(schema) for name, schema in arguments.items()}
    root = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "$defs": definitions,
    }
    validator, found = read_schema(root)
    faults += map(_from_tool, found)
    if faults:
        return None, faults
    try:
        return _make(tool, arguments, root, validator), []
    except SchemaFault as fault:
        return None, [_from_tool(fault)]


def _make(
    tool: str, arguments: dict[str, Any], root: dict[str, Any], validator: Any
) -> ArgumentsSchema:
    properties = root["properties"]
    types = TypeReader(root)
    fields = {name: types.type_of(schema) for name, schema in properties.items()}
    built = {name: build_form(root, schema) for name, schema in properties.items()}
    forms = [(name, form) for name, form in built.items() if form is not None]
    faults_of_null = validator.iter_errors(dict.fromkeys(properties))
    return ArgumentsSchema(
        properties=properties,
        required=frozenset(root["required"]),
        definitions=root["$defs"],
        kinds_of=_group_kinds(arguments),
        names=frozenset(_declared_names(root)),
        type=RecordType("map", fields=fields, closed=True, noun="argument", of=tool),
        _validate=validator.validate,
        _forms=tuple(forms),
        _forms_of_plain=tuple(each for each in forms if concerns_numbers(each[1])),
        _refuse_null=frozenset(str(fault.instance_path[0]) for fault in faults_of_null),
    )


def _check_kinds(arguments: dict[str, Any]) -> Iterator[SchemaFault]:
    for name, schema in arguments.items():
        if type(schema) is dict and "kind" in schema and schema["kind"] not in KINDS:
            kind = str(schema["kind"])
            hint = did_you_mean(kind, KINDS) or f"; there are {', '.join(map(quote, KINDS))}"
            yield SchemaFault(("arguments", name, "kind"), f"unknown kind {quote(kind)}{hint}")


def _group_kinds(arguments: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    marked = {
        name: schema["kind"]
        for name, schema in arguments.items()
        if type(schema) is dict and "kind" in schema
    }
    return {
        kind: tuple(name for name, own in marked.items() if own == kind)
        for kind in dict.fromkeys(marked.values())
    }


def _declared_names(root: dict[str, Any]) -> Iterator[str]:
    for _, schema in subschemas(root, ()):
        if type(schema) is dict:
            yield from schema.get("properties", {})


def _without_kind(schema: Any) -> Any:
    if type(schema) is not dict:
        return schema
    return {key: value for key, value in schema.items() if key != "kind"}


def _from_tool(fault: SchemaFault) -> SchemaFault:
    """The fault with a path that leads from the tool instead of from the schema made of it."""
    path = fault.path or ("properties",)
    first = "arguments" if path[0] == "properties" else path[0]
    return SchemaFault((first, *path[1:]), fault.message, of_key=fault.of_key)
