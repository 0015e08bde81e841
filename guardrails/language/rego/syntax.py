"""The syntax tree that the engine gives of a module, read for what loading has to know of it.

A node is a map with one key, its kind, and its parts below that; every node has a `span`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Node = Mapping[str, Any]

Path = tuple[str, ...]


class Place(NamedTuple):
    """A place in a module; counts from 1."""

    line: int
    column: int


class Reference(NamedTuple):
    """What an expression refers to: a variable and the names after it, as far as they are fixed.

    `whole` says that nothing computed follows. `called` says that it is called as a function, with
    so many `arguments`.
    """

    path: Path
    whole: bool
    called: bool
    place: Place
    arguments: int = 0


@dataclass(slots=True)
class Definition:
    """One definition of a rule: its path below the package, and what it refers to.

    `kind` is `set` (`contains`), `value`, `function` or `default`. `computed` says that a part of
    its path is. `bound` are the variables of its own, `text` is it as it is written.
    """

    path: Path
    kind: str
    place: Place
    computed: bool = False
    references: list[Reference] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Module:
    """A module: the file, its package, what it imports by the names it uses, its definitions."""

    path: str
    text: str
    package: Path
    place: Place
    imports: Mapping[str, Path]
    definitions: tuple[Definition, ...]


_BINDERS = ("SomeVars", "SomeIn", "Every", "AssignExpr")
_NO_IMPORTS = ("rego", "future")
_HEADS = {"Set": "set", "Compr": "value", "Func": "function"}


def read_tree(path: str, text: str, tree: Node) -> Module:
    """The module whose syntax `tree` is, as `get_ast_as_json` gives it."""
    package = tree["package"]
    encoded = text.encode()
    return Module(
        path=path,
        text=text,
        package=_fixed(package["refr"]).path,
        place=place_at(package["span"]),
        imports=dict(_imports(tree["imports"], encoded)),
        definitions=tuple(_definition(rule, encoded) for rule in tree["rules"]),
    )


def _imports(imports: list[Node], text: bytes) -> Iterator[tuple[str, Path]]:
    for each in imports:
        path = _fixed(each["refr"]).path
        if path[0] not in _NO_IMPORTS:
            given = each.get("as")
            yield (word_at(given, text) if given else path[-1]), path


def _definition(rule: Node, text: bytes) -> Definition:
    ((form, parts),) = rule.items()
    if form == "Default":
        definition = Definition(_fixed(parts["refr"]).path, "default", place_at(parts["span"]))
        definition.text = word_at(parts["span"], text)
        _Reader(definition, text).read(parts["value"])
        return definition
    ((head, inner),) = parts["head"].items()
    name = _fixed(inner["refr"])
    place = place_at(parts["span"])
    definition = Definition(name.path, _HEADS[head], place, computed=not name.whole)
    definition.text = word_at(parts["span"], text)
    reader = _Reader(definition, text)
    for argument in inner.get("args", ()):
        reader.bind(argument)
    reader.read({key: part for key, part in inner.items() if key != "refr"})
    reader.read(name.inside)
    reader.read(parts["bodies"])
    return definition


class _Reader:
    """Collects what one definition refers to and which variables are its own."""

    def __init__(self, definition: Definition, text: bytes) -> None:
        self.found = definition.references
        self.bound = definition.bound
        self.text = text

    def read(self, node: Any) -> None:
        """Go through all below `node`."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if type(node) is list:
                waiting += node
            elif type(node) is dict:  # pragma: no branch - lists of the tree hold nothing else
                for key, part in node.items():
                    if key in ("Var", "RefDot", "RefBrack"):
                        waiting += self._refer(node)
                    elif key == "Call":
                        waiting += self._refer(part["fcn"], part["params"])
                        waiting.append(part["params"])
                    elif key == "with_mods":  # what is replaced is not read by that
                        waiting += [each["as"] for each in part]
                    elif type(part) in (dict, list) and key != "span":
                        if key in _BINDERS:
                            self._bind_by(key, part)
                        waiting.append(part)

    def bind(self, node: Any) -> None:
        """Take every variable of a pattern for one of the definition's own."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if type(node) is list:
                waiting += node
            elif type(node) is dict:
                if "Var" in node:
                    self.bound.add(node["Var"]["value"])
                elif not ("RefDot" in node or "RefBrack" in node or "Call" in node):
                    waiting += [part for key, part in node.items() if key != "span"]

    def _bind_by(self, kind: str, parts: Node) -> None:
        if kind == "AssignExpr":
            if parts["op"] == "ColEq":
                self.bind(parts["lhs"])
        elif kind == "SomeIn":
            self.bind([parts["key"], parts["value"]])
        elif kind == "Every":
            names = (each for each in (parts["key"], parts["value"]) if each)
            self.bound.update(word_at(each, self.text) for each in names)
        else:
            self.bound.update(word_at(each, self.text) for each in parts["vars"])

    def _refer(self, node: Node, arguments: list[Any] | None = None) -> list[Any]:
        """Note a reference, a call if it has `arguments`; returns the expressions inside it."""
        fixed = _fixed(node)
        if fixed.path:
            count = 0 if arguments is None else len(arguments)
            called = arguments is not None
            self.found.append(Reference(fixed.path, fixed.whole, called, fixed.place, count))
        return fixed.inside


class _Fixed(NamedTuple):
    path: Path
    whole: bool
    place: Place
    inside: list[Any]


def _fixed(node: Node) -> _Fixed:
    """The part of a reference that is fixed, and the expressions that compute the rest."""
    steps: list[Any] = []
    while True:
        ((kind, parts),) = node.items()
        if kind == "RefDot":
            steps.append(parts["field"][1])
        elif kind == "RefBrack":
            index = parts["index"]
            steps.append(index["String"]["value"] if "String" in index else index)
        else:
            break
        node = parts["refr"]
    if kind != "Var":
        inside = [node, *_computed(steps)]
        return _Fixed((), whole=False, place=place_at(parts["span"]), inside=inside)
    path = [parts["value"]]
    for step in reversed(steps):
        if type(step) is not str:
            break
        path.append(step)
    whole = len(path) == len(steps) + 1
    return _Fixed(tuple(path), whole, place_at(parts["span"]), _computed(steps))


def _computed(steps: list[Any]) -> list[Any]:
    return [step for step in steps if type(step) is not str]


def place_at(span: Node) -> Place:
    """Where a span begins."""
    return Place(span["line"], span["col"])


def word_at(span: Node, text: bytes) -> str:
    """The text at a span, which counts bytes."""
    return text[span["start"] : span["end"]].decode()
