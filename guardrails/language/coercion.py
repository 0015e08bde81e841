"""Numbers brought to the type that their schema gives them, at any depth of an argument.

`number` means a double and `integer` an int, so that a condition computes the same whether a
caller wrote `5` or `5.0`. A value that would change becomes `Opaque`: touching it is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.dialect import IN_PLACE, SchemaFault, in_place
from guardrails.values import INT_MAX, INT_MIN, Opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_FORMS = 2_000
"""How many combinations of schemas are told apart in the arguments of one tool."""

AFFIRMED = IN_PLACE - {"if", "not"}
"""Keywords whose schemas say what a value is, not what it is not."""


class Form:
    """What to do with the numbers of a value: with itself, and with what is in it.

    `number` is `float` or `int` where the value, if it is a number, must be of that type. `named`
    are the forms under known keys of a map, `others` that under all other keys; `first` are those
    of the first items of a list, `items` that of all others.
    """

    __slots__ = ("first", "items", "named", "number", "others")

    def __init__(self, number: type | None) -> None:
        self.number = number
        self.named: dict[str, Form | None] = {}
        self.others: Form | None = None
        self.first: list[Form | None] = []
        self.items: Form | None = None

    def apply(self, value: Any) -> Any:
        """`value` with its numbers brought to type, what changes copied."""
        kind = type(value)
        if kind is float or kind is int or kind is Opaque:
            return value if self.number in (None, kind) else _convert(value, self.number)
        if kind is list and (self.first or self.items):
            forms = self.first + [self.items] * (len(value) - len(self.first))
            return [_apply(form, item) for form, item in zip(forms, value, strict=False)]
        if kind is dict and (self.named or self.others):
            return {
                key: _apply(self.named.get(key, self.others), item) for key, item in value.items()
            }
        return value

    def inner(self) -> Iterator[Form]:
        """The forms of what is in the value."""
        forms = (*self.named.values(), self.others, *self.first, self.items)
        return (form for form in forms if form is not None)

    def forget(self, idle: set[Form]) -> None:
        """Drop the forms that change nothing."""
        self.named = {key: None if form in idle else form for key, form in self.named.items()}
        self.first = [None if form in idle else form for form in self.first]
        self.others = None if self.others in idle else self.others
        self.items = None if self.items in idle else self.items


def _apply(form: Form | None, value: Any) -> Any:
    return value if form is None else form.apply(value)


def _convert(value: Any, wanted: type | None) -> Any:
    given = value.integer if type(value) is Opaque else value
    if given is None:
        return value
    return _to_double(given) if wanted is float else _to_int(given)


def _to_double(given: int) -> float | Opaque:
    try:
        number = float(given)
    except OverflowError:
        number = 0.0
    return number if number == given else Opaque("an integer that no double equals", given)


def _to_int(given: float) -> float | Opaque:
    if not given.is_integer():
        return given
    whole = int(given)
    return whole if INT_MIN <= whole <= INT_MAX else Opaque("an integer beyond 64 bits", whole)


def build_form(root: Any, schema: Any) -> Form | None:
    """What to do with the numbers of values under `schema`, a part of `root`; None for nothing.

    Raises `SchemaFault` where schemas combine in too many ways.
    """
    builder = _Builder(root)
    form = builder.form_of([schema])
    builder.finish()
    idle = _idle(builder.made)
    for each in builder.made:
        each.forget(idle)
    return None if form in idle else form


def _idle(forms: Iterable[Form]) -> set[Form]:
    """The forms that change no number, in themselves or inside."""
    idle = {form for form in forms if form.number is None}
    while woken := {form for form in idle if any(each not in idle for each in form.inner())}:
        idle -= woken
    return idle


class _Builder:
    """Forms made so far: one for each set of schemas that judge a value together."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.known: dict[frozenset[int], Form] = {}
        self.open: list[tuple[Form, list[dict[str, Any]]]] = []
        self.made: list[Form] = []

    def form_of(self, schemas: Iterable[Any]) -> Form | None:
        """The form of a value that all of `schemas` judge; its inside may follow later."""
        together = gather(self.root, schemas)
        key = frozenset(map(id, together))
        if not key:
            return None
        if key not in self.known:
            if len(self.made) == MAX_FORMS:
                raise SchemaFault((), f"schemas combine in more than {MAX_FORMS:,} ways")
            form = self.known[key] = Form(number_of(together))
            self.made.append(form)
            self.open.append((form, together))
        return self.known[key]

    def finish(self) -> None:
        """Fill in the inside of all forms."""
        while self.open:
            form, schemas = self.open.pop()
            self._fill_map(form, schemas)
            self._fill_list(form, schemas)

    def _fill_map(self, form: Form, schemas: list[dict[str, Any]]) -> None:
        rest = [*_under(schemas, "additionalProperties"), *_under(schemas, "unevaluatedProperties")]
        for patterns in _under(schemas, "patternProperties"):
            rest += patterns.values()  # on all keys: which it fits isn't worth telling apart
        properties = _under(schemas, "properties")
        for name in dict.fromkeys(name for each in properties for name in each):
            own = [each[name] for each in properties if name in each]
            form.named[name] = self.form_of(own + rest)
        form.others = self.form_of(rest)

    def _fill_list(self, form: Form, schemas: list[dict[str, Any]]) -> None:
        firsts = _under(schemas, "prefixItems")
        for index in range(max(map(len, firsts), default=0)):
            own = [each[index] for each in firsts if index < len(each)]
            form.first.append(self.form_of(own))
        form.items = self.form_of([*_under(schemas, "items"), *_under(schemas, "unevaluatedItems")])


def _under(schemas: list[dict[str, Any]], key: str) -> list[Any]:
    return [schema[key] for schema in schemas if key in schema]


def gather(root: Any, schemas: Iterable[Any]) -> list[dict[str, Any]]:
    """All schemas that say what a value is, which `schemas` judge: they and what they combine."""
    found: dict[int, dict[str, Any]] = {}
    open_ = list(schemas)
    while open_:
        schema = open_.pop()
        if type(schema) is dict and id(schema) not in found:
            found[id(schema)] = schema
            open_ += in_place(root, schema, AFFIRMED)
    return list(found.values())


def number_of(schemas: Iterable[dict[str, Any]]) -> type | None:
    """`float` where any of `schemas` says `number`, else `int` where one says `integer`."""
    types = {name for schema in schemas for name in _names(schema.get("type"))}
    return float if "number" in types else int if "integer" in types else None


def _names(given: Any) -> list[str]:
    return given if type(given) is list else [] if given is None else [given]
