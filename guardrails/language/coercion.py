"""Values brought to the type that their schema gives them, at any depth of an argument.

`number` means a double and `integer` an int, so that a condition computes the same whether a
caller wrote `5` or `5.0`. A value that would change becomes `Opaque`: touching it is an error.
So do bytes under `string`, which JSON Schema knows as text and a condition would find unequal to
any.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

from guardrails.language.dialect import IN_PLACE, SchemaFault, in_place
from guardrails.values import INT_MAX, INT_MIN, Duration, Opaque, Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_FORMS = 2_000
"""How many combinations of schemas are told apart in the arguments of one tool."""

MOMENTS = frozenset({"date-time", "duration"})
"""Formats of text that a tool may also be given as a timestamp or duration."""

_NUMERIC = frozenset({int, float, Opaque})
_WRITTEN_AS_TEXT = frozenset({bytes, Timestamp, Duration})

AFFIRMED = IN_PLACE - {"if", "not"}
"""Keywords whose schemas say what a value is, not what it is not."""


class Form:
    """What to do with a value, and with what is in it.

    `number` is `float` or `int` where the value, if it is a number, must be of that type; `text`
    says that it must be text, if JSON writes it as text. A value of the type `settled` stays as it
    is. `named` are the forms under known keys of a map, `others` that under all other keys; `first`
    are those of the first items of a list, `items` that of all others.
    """

    __slots__ = ("first", "items", "named", "number", "others", "settled", "text")

    def __init__(self, number: type | None, *, text: bool) -> None:
        self.number = number
        self.text = text
        self.settled = number or (str if text else None)
        self.named: dict[str, Form | None] = {}
        self.others: Form | None = None
        self.first: list[Form | None] = []
        self.items: Form | None = None

    def apply(self, value: Any) -> Any:
        """`value` brought to type; itself where nothing changes, for it is never written to."""
        kind = type(value)
        if kind is list:
            return self._apply_to_list(value)
        if kind is dict:
            return self._apply_to_map(value)
        if self.number is not None and kind in _NUMERIC:
            return _convert(value, self.number)
        if self.text and kind in _WRITTEN_AS_TEXT:
            return Opaque("bytes or a time where the policy declares a string")
        return value

    def _apply_to_list(self, value: list[Any]) -> list[Any]:
        if not self.first and (self.items is None or set(map(type, value)) == {self.items.settled}):
            return value
        forms = self.first + [self.items] * (len(value) - len(self.first))
        made = [_apply(form, item) for form, item in zip(forms, value, strict=False)]
        return value if all(map(is_, made, value)) else made

    def _apply_to_map(self, value: dict[Any, Any]) -> dict[Any, Any]:
        if not self.named and self.others is None:
            return value
        named, others = self.named, self.others
        made = {key: _apply(named.get(key, others), item) for key, item in value.items()}
        return value if all(map(is_, made.values(), value.values())) else made

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
    return value if form is None or type(value) is form.settled else form.apply(value)


def _convert(value: Any, wanted: type | None) -> Any:
    given = value.integer if type(value) is Opaque else value
    if given is None or type(given) is wanted:
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


def concerns_numbers(form: Form) -> bool:
    """Whether the form changes numbers, in a value or inside it."""
    seen = {form}
    open_ = [form]
    while open_:
        each = open_.pop()
        if each.number is not None:
            return True
        new = set(each.inner()) - seen
        seen |= new
        open_ += new
    return False


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
    """The forms that change nothing, in themselves or inside."""
    idle = {form for form in forms if form.number is None and not form.text}
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
            form = self.known[key] = Form(number_of(together), text=_is_text(together))
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
        patterned = [
            each for known in _under(schemas, "patternProperties") for each in known.values()
        ]  # on all keys: which it fits isn't worth telling apart
        for name in dict.fromkeys(name for each in _under(schemas, "properties") for name in each):
            form.named[name] = self.form_of([*_of_key(schemas, name), *patterned])
        form.others = self.form_of([*_of_key(schemas, None), *patterned])

    def _fill_list(self, form: Form, schemas: list[dict[str, Any]]) -> None:
        length = max(map(len, _under(schemas, "prefixItems")), default=0)
        form.first = [self.form_of(_of_item(schemas, index)) for index in range(length)]
        form.items = self.form_of(_of_item(schemas, length))


def _of_key(schemas: list[dict[str, Any]], name: str | None) -> Iterator[Any]:
    """What `schemas` say of the value under a key, None for one that none of them names."""
    for schema in schemas:
        named = schema.get("properties", {})
        if name in named:
            yield named[name]
        else:
            yield from _under([schema], "additionalProperties")
            yield from _under([schema], "unevaluatedProperties")


def _of_item(schemas: list[dict[str, Any]], index: int) -> Iterator[Any]:
    """What `schemas` say of the item at `index` of a list."""
    for schema in schemas:
        firsts = schema.get("prefixItems", [])
        if index < len(firsts):
            yield firsts[index]
        else:
            yield from _under([schema], "items")
            yield from _under([schema], "unevaluatedItems")


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


def _is_text(schemas: Iterable[dict[str, Any]]) -> bool:
    """Whether a condition takes what the schemas admit, if JSON writes it as text, for text.

    A timestamp or duration may stand for its text only where a format says so.
    """
    return any(
        "enum" in schema
        or "const" in schema
        or ("string" in _names(schema.get("type")) and schema.get("format") not in MOMENTS)
        for schema in schemas
    )


def _names(given: Any) -> list[str]:
    return given if type(given) is list else [] if given is None else [given]
