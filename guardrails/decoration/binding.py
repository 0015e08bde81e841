"""A function rebuilt so that its calls go elsewhere, while everyone who looks sees the same.

Python itself binds the arguments: the wrapper is compiled with the function's own parameters and
lives over the function's own globals. So a call that doesn't fit raises `TypeError` as ever,
signature, annotations and docstring are the function's, and no `__wrapped__` leads past it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import CellType, FunctionType, NoneType
from typing import TYPE_CHECKING, Any

from guardrails.decoration.compiled import code_of, compile_invoke, compile_wrapper
from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Binding:
    """How calls of a function become named arguments, and those a call again.

    `kind` is "function", "coroutine", "generator" or "async generator". `invoke` calls the
    function with the arguments by name and those that are not judged. `optional` are the
    parameters whose default is None. `reserved` are the names that further keyword arguments of
    a function with `**kwargs` can't have.
    """

    function: Callable[..., Any]
    name: str
    line: int
    kind: str
    signature: inspect.Signature
    hidden: tuple[str, ...]
    invoke: Callable[[Mapping[str, Any], tuple[Any, ...]], Any]
    optional: frozenset[str]
    reserved: frozenset[str]
    gathers: bool

    def wrap(self, call: Callable[..., Any]) -> FunctionType:
        """Return the function that hands its arguments to `call`.

        `call` gets the arguments by name, those that are not judged as a tuple and, if the
        function `gathers` further keyword arguments, those as a dict.
        """
        target = inspect.unwrap(self.function)
        parameters = self.signature.parameters.values()
        code = compile_wrapper(self.function, self.name, self.kind, parameters, self.hidden)
        wrapper = FunctionType(
            code,
            getattr(target, "__globals__", {"__builtins__": __builtins__}),
            self.name,
            closure=(CellType(call),),
        )
        _dress(wrapper, self)
        return wrapper


def bind(function: Callable[..., Any], ignore: Iterable[str] = ()) -> Binding:
    """Return how calls of `function` are judged; parameters of `ignore` are left out.

    Raises ConfigurationError for what is no function, and for names in `ignore` that it has not.
    """
    if isinstance(function, staticmethod | classmethod | property) or not callable(function):
        raise ConfigurationError(
            "`guard.tool` decorates functions: put `guard.tool` innermost, directly over `def`"
        )
    if isinstance(function, type):
        raise ConfigurationError("`guard.tool` decorates functions, not classes")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        msg = "this callable tells no signature; write a function around it and decorate that"
        raise ConfigurationError(msg) from error
    parameters = signature.parameters
    if isinstance(ignore, str):
        raise ConfigurationError('`ignore` is a list of parameters, such as ["ctx"]')
    unknown = [name for name in ignore if name not in parameters]
    if unknown:
        msg = f"`ignore` names `{unknown[0]}`, which is no parameter of the function"
        raise ConfigurationError(msg)
    hidden = _hidden(function, parameters, ignore)
    judged = [each for each in parameters.values() if each.name not in hidden]
    gathers = any(each.kind is each.VAR_KEYWORD for each in judged)
    return Binding(
        function=function,
        name=getattr(function, "__name__", type(function).__name__),
        line=getattr(code_of(function), "co_firstlineno", 0),
        kind=_kind(function),
        signature=signature,
        hidden=hidden,
        invoke=compile_invoke(function, parameters, hidden),
        optional=frozenset(each.name for each in judged if each.default is None),
        reserved=frozenset(
            name for name, each in parameters.items() if each.kind is not each.VAR_KEYWORD
        ),
        gathers=gathers,
    )


def _hidden(
    function: Callable[..., Any],
    parameters: Mapping[str, inspect.Parameter],
    ignore: Iterable[str],
) -> tuple[str, ...]:
    """The parameters that are not judged: those to ignore, and a method's own object."""
    hidden = list(ignore)
    owner = getattr(function, "__qualname__", "").rpartition(".")[0]
    first = next(iter(parameters), None)
    if first in ("self", "cls") and owner and not owner.endswith("<locals>"):
        hidden.insert(0, first)
    return tuple(dict.fromkeys(hidden))


def _kind(function: Callable[..., Any]) -> str:
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    for candidate in (function, called):
        if inspect.isasyncgenfunction(candidate):
            return "async generator"
        if inspect.iscoroutinefunction(candidate):
            return "coroutine"
        if inspect.isgeneratorfunction(candidate):
            return "generator"
    return "function"


def _dress(wrapper: FunctionType, binding: Binding) -> None:
    """Give the wrapper the function's defaults, name, documentation and annotations."""
    empty = inspect.Parameter.empty
    parameters = binding.signature.parameters.values()
    wrapper.__defaults__ = tuple(
        each.default
        for each in parameters
        if each.default is not empty and each.kind is not each.KEYWORD_ONLY
    )
    wrapper.__kwdefaults__ = {
        each.name: each.default
        for each in parameters
        if each.default is not empty and each.kind is each.KEYWORD_ONLY
    }
    function = binding.function
    if inspect.isroutine(function):
        marks = getattr(function, "__dict__", {})
        wrapper.__dict__.update((name, mark) for name, mark in marks.items() if _is_data(mark))
    for name in ("__module__", "__doc__", "__qualname__", "__annotations__", "__type_params__"):
        if hasattr(function, name):
            setattr(wrapper, name, getattr(function, name))


def _is_data(mark: Any) -> bool:
    """Whether an attribute of a function is data through and through, so that none leads past it.

    What decorators leave on a function often is the function: `raw_function`, `__wrapped__`.
    """
    if type(mark) is dict:
        return all(map(_is_data, (*mark, *mark.values())))
    if type(mark) in (list, tuple, set, frozenset):
        return all(map(_is_data, mark))
    return type(mark) in (str, int, float, bool, bytes, NoneType)
