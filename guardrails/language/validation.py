"""The structure of a file checked, every fault in words and with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.structure import POLICY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.errors import Problem
    from guardrails.language.structure_terms import Rules
    from guardrails.language.yaml_tree import Tree

Path = tuple[str | int, ...]

_CONDITIONS = ("when", "unless")
_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "a map",
}
_OPTIONAL = "; leave it out, or say what it is to hold"
_EXPECTED: Mapping[str, str] = {
    "string": "text",
    "list": "a list",
    "dict": "a map",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "a boolean",
}


def find_faults(tree: Tree, structure: Rules = POLICY) -> tuple[list[Problem], frozenset[Path]]:
    """The faults of a file's structure, and the path of each; by default of a policy document's.

    A path leads from the root: keys of maps and indices of lists.
    """
    if type(tree.data) is not dict:
        kind = _KINDS.get(type(tree.data), "null")
        whole = structure["meta"]["whole"]
        message = f"{whole} is a map that begins with `version: 1`, not {kind}"
        return [tree.problem(tree.root, message)], frozenset({()})
    from guardrails.language.validator import (  # noqa: PLC0415 - slow to import, to load only
        StructureValidator,
    )

    validator = StructureValidator(structure["schema"])
    if validator.validate(tree.data, normalize=False):
        return [], frozenset()
    faults: dict[Path, Any] = {}
    for error in _leaves(validator._errors):  # noqa: SLF001 - the public errors are text
        faults.setdefault(tuple(error.document_path), error)
    return [_describe(tree, structure, error) for error in faults.values()], frozenset(faults)


def _leaves(errors: Any) -> Iterator[Any]:
    """Cerberus' errors without the groups that hold them."""
    for error in errors:
        if error.child_errors:
            yield from _leaves(error.child_errors)
        else:
            yield error


def _describe(tree: Tree, structure: Rules, error: Any) -> Problem:
    from cerberus import errors  # noqa: PLC0415

    path: Path = tuple(error.document_path)
    around = path[:-1]
    container = _follow(tree.data, around)
    key: Any = path[-1]
    if error.code == errors.REQUIRED_FIELD.code:
        what = _rules_at(structure, around)["meta"]["what"]
        event = tree.value(_follow(tree.data, around[:-1]), around[-1]) if around else tree.root
        return tree.problem(event, f"the {what} has no `{key}`")
    if error.code == errors.UNKNOWN_FIELD.code:
        return tree.problem(tree.key(container, key), _unknown(tree, structure, path))
    if "keysrules" in error.schema_path:
        rules = _rules_at(structure, around)["keysrules"]
        return tree.problem(tree.key(container, key), _misshapen(rules, key))
    name = f"`{key}`" if type(key) is str else f"an item of `{around[-1]}`"
    message = _complain(error, _rules_at(structure, path), name)
    return tree.problem(tree.value(container, key), message)


def _complain(error: Any, rules: Rules, name: str) -> str:
    from cerberus import errors  # noqa: PLC0415

    value = error.value
    if value is None:
        return f"{name} has no value"
    if error.code == errors.BAD_TYPE.code:
        return _mistyped(name, error.constraint, value)
    if error.code == errors.UNALLOWED_VALUE.code:
        return _unallowed(rules, value)
    if error.code == errors.MIN_VALUE.code:
        return f"{name} must be {error.constraint} or more"
    if error.code == errors.MAX_VALUE.code:
        return f"{name} must be {error.constraint} or less"
    if value in ([], {}):
        return f"{name} is empty{_OPTIONAL if not rules.get('required') else ''}"
    if value == "":
        return f"{name} is empty"
    return _misshapen(rules, value)


def _unknown(tree: Tree, structure: Rules, path: Path) -> str:
    key = str(path[-1])
    container = _follow(tree.data, path[:-1])
    known = _keys(_rules_at(structure, path[:-1]))
    hint = did_you_mean(key, known)
    if path == ("tests",):
        hint = "; tests stand in files named `*_test.yaml`"
    elif not hint and container[key] is None and any(name in container for name in _CONDITIONS):
        hint = "; a comma ends a value inside `{...}`: put the condition in quotes or after `>-`"
    return f"unknown key {quote(key)}{hint}"


def _mistyped(name: str, expected: Any, value: Any) -> str:
    if name.strip("`") in _CONDITIONS and type(value) is bool:
        return f'{name} must be text; write `{name.strip("`")}: "{str(value).lower()}"`'
    kinds = [expected] if type(expected) is str else expected
    wanted = " or ".join(_EXPECTED[kind] for kind in kinds)
    hint = ""
    if "string" in kinds and type(value) in (bool, int, float):
        hint = "; put it in quotes"
    elif "list" in kinds and type(value) is str:
        hint = f"; write {quote(f'[{value}]')}"
    elif "integer" in kinds and type(value) is str and value.isdecimal():
        hint = "; write it without quotes"
    return f"{name} must be {wanted}, not {_KINDS[type(value)]}{hint}"


def _unallowed(rules: Rules, value: Any) -> str:
    what, allowed = rules["meta"]["what"], rules["allowed"]
    hint = did_you_mean(value, allowed) if type(value) is str else ""
    if not hint:
        listed = ", ".join(f"`{each}`" for each in allowed)
        hint = f"; there is only {listed}" if len(allowed) == 1 else f"; there are {listed}"
    return f"unknown {what} {quote(str(value))}{hint}"


def _misshapen(rules: Rules, value: str) -> str:
    meta = rules["meta"]
    shown = quote(value) if value.isascii() else f"{quote(value)} ({quote(ascii(value)[1:-1])})"
    return f"{shown} can't be a {meta['what']}: {meta['shape']}"


def _follow(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _rules_at(rules: Rules, path: Path) -> Rules:
    """The rules for what stands at `path`, given those of the whole."""
    for step in path:
        if "valuesrules" in rules and not (type(step) is int and "schema" in rules):
            rules = rules["valuesrules"]
        elif type(step) is int:
            rules = rules["schema"]
        else:
            rules = _keys(rules)[step]
    return rules


def _keys(rules: Rules) -> Any:
    """The rules of the keys of a map, which may stand for a list of itself alone."""
    keys = rules["schema"]
    return keys["schema"] if "list" in rules.get("type", ()) else keys
