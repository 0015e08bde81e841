"""The decorated tools of a module, found by importing it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from guardrails.decoration import MARK
from guardrails.errors import GuardrailsError
from guardrails.toolchain.tools.annotations import parameter_schema

if TYPE_CHECKING:
    from collections.abc import Iterator


class ModuleNotImported(GuardrailsError):  # noqa: N818 - it says what did not happen
    """A module of tools that can't be imported; the text says why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a tool, as the function's signature has it.

    `schema` is the JSON Schema of its annotation, empty where that says nothing.
    """

    name: str
    required: bool
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FoundTool:
    """A decorated function: the tool's name, its arguments, and where it is defined.

    `open` says that it takes further keyword arguments, of any name.
    """

    name: str
    parameters: tuple[Parameter, ...]
    open: bool
    description: str
    path: str
    line: int


def find_tools(target: str) -> tuple[FoundTool, ...]:
    """Return the decorated tools that importing `target` brings, sorted by name and place.

    `target` is a module's dotted name, or the path of a Python file. Its own submodules count as
    far as it imports them. Raises ModuleNotImported.
    """
    module = _import(target)
    found = {id(function): function for function in _functions(module)}
    tools = [_describe(function) for function in found.values()]
    return tuple(sorted(tools, key=lambda tool: (tool.name, tool.path, tool.line)))


def _import(target: str) -> ModuleType:
    path = Path(target)
    folder, name = (str(path.parent), path.stem) if path.suffix == ".py" else (".", target)
    sys.path.insert(0, str(Path(folder).resolve()))
    try:
        return import_module(name)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        reason = " ".join(str(error).split()) or "it ends the interpreter"
        msg = f"the module `{target}` can't be imported: {reason}"
        raise ModuleNotImported(msg) from error
    finally:
        sys.path.pop(0)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """The decorated functions of a module, of its classes and of its own submodules."""
    prefix = f"{module.__name__}."
    modules = [
        module,
        *(sys.modules[name] for name in sorted(sys.modules) if name.startswith(prefix)),
    ]
    for each in modules:
        yield from _members(vars(each), each.__name__, set())


def _members(names: dict[str, Any], module: str, seen: set[type]) -> Iterator[FunctionType]:
    for value in list(names.values()):
        function = getattr(value, "__func__", value)  # of a static or class method
        if isinstance(function, FunctionType) and MARK in vars(function):
            yield function
        elif isinstance(value, type) and value.__module__ == module and value not in seen:
            seen.add(value)
            yield from _members(dict(vars(value)), module, seen)


def _describe(function: FunctionType) -> FoundTool:
    mark = vars(function)[MARK]
    parameters = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.name not in mark.hidden
    ]
    try:
        hints = inspect.get_annotations(function, eval_str=True)
    except Exception:  # noqa: BLE001 - an annotation may name what is there for checkers only
        hints = {}
    return FoundTool(
        name=mark.tool,
        parameters=tuple(
            Parameter(each.name, _is_required(each), parameter_schema(each, hints))
            for each in parameters
            if each.kind is not each.VAR_KEYWORD
        ),
        open=any(each.kind is each.VAR_KEYWORD for each in parameters),
        description=(inspect.getdoc(function) or "").partition("\n")[0],
        path=function.__code__.co_filename,
        line=mark.line,
    )


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
