"""Python code made for one function: the wrapper with its parameters, and the call of it."""

from __future__ import annotations

import ast
import inspect
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_CALL = "__guardrails_call__"

_SHELLS = {
    "function": f"""
def outer({_CALL}):
    def wrapper():
        return {_CALL}()
""",
    "coroutine": f"""
def outer({_CALL}):
    async def wrapper():
        return await {_CALL}()
""",
    "generator": f"""
def outer({_CALL}):
    def wrapper():
        return (yield from {_CALL}())
""",
    "async generator": f"""
def outer({_CALL}):
    async def wrapper():
        inner = {_CALL}()
        try:
            item = await inner.__anext__()
            while True:
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:
                    item = await inner.athrow(error)
                else:
                    item = await inner.asend(sent)
        except StopAsyncIteration:
            return
        finally:
            await inner.aclose()
""",
}
"""The wrapper of each kind of function; its parameters and what it hands over are put in below."""


def compile_wrapper(
    function: Callable[..., Any],
    name: str,
    kind: str,
    parameters: Iterable[inspect.Parameter],
    hidden: tuple[str, ...],
) -> CodeType:
    """Return the code of a function with these parameters that calls the free variable.

    It hands over the arguments by name, those that are `hidden` as a tuple and, if there are any,
    the further keyword arguments as a dict.
    """
    parameters = tuple(parameters)
    module = ast.parse(_SHELLS[kind])
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == _CALL:
            node.args = _handed_over(parameters, hidden)
        elif getattr(node, "name", "") == "wrapper":
            node.args = _declared(parameters)  # type: ignore[attr-defined]
    ast.fix_missing_locations(module)
    code = _only_code(_only_code(compile(module, "<guardrails>", "exec")))
    return code.replace(
        co_name=name,
        co_qualname=getattr(function, "__qualname__", name),
        co_filename=getattr(code_of(function), "co_filename", "<guardrails>"),
    )


def code_of(function: Callable[..., Any]) -> CodeType | None:
    """Return the code of a function, or of the one that it wraps; None if it has none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code if isinstance(code, CodeType) else None


def compile_invoke(
    function: Callable[..., Any],
    parameters: Mapping[str, inspect.Parameter],
    hidden: tuple[str, ...],
) -> Callable[[Mapping[str, Any], tuple[Any, ...]], Any]:
    """Return a function of the arguments by name and those not judged that calls `function`."""
    positional: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    named = frozenset(
        name for name, each in parameters.items() if each.kind is not each.VAR_KEYWORD
    )
    for name, parameter in parameters.items():
        if name in hidden:
            value = _expression(f"hidden[{hidden.index(name)}]")
        elif parameter.kind is parameter.VAR_KEYWORD:
            value = _expression("{key: given[key] for key in given if key not in named}")
        elif parameter.default is None:
            value = _expression(f"given.get({name!r})")
        else:
            value = _expression(f"given[{name!r}]")
        if parameter.kind is parameter.VAR_KEYWORD:
            keywords.append(ast.keyword(arg=None, value=value))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords.append(ast.keyword(arg=name, value=value))
        elif parameter.kind is parameter.VAR_POSITIONAL:
            positional.append(ast.Starred(value=value, ctx=ast.Load()))
        else:
            positional.append(value)
    call = ast.Call(func=_load("function"), args=positional, keywords=keywords)
    taken = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("given", "hidden")
    ]
    body = ast.Lambda(args=_declared(taken), body=call)
    tree = ast.fix_missing_locations(ast.Expression(body))
    scope = {"function": function, "named": named}
    invoke: Callable[..., Any] = eval(compile(tree, "<guardrails>", "eval"), scope)  # noqa: S307 - a tree made above
    return invoke


def _handed_over(
    parameters: Iterable[inspect.Parameter], hidden: tuple[str, ...]
) -> list[ast.expr]:
    """What the wrapper hands over: arguments by name, what is not judged, further keywords."""
    named = ast.Dict(keys=[], values=[])
    rest: list[ast.expr] = []
    for parameter in parameters:
        if parameter.name in hidden:
            continue
        value: ast.expr = _load(parameter.name)
        if parameter.kind is parameter.VAR_KEYWORD:
            rest.append(value)
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            value = ast.List(elts=[ast.Starred(value=value, ctx=ast.Load())], ctx=ast.Load())
        named.keys.append(ast.Constant(parameter.name))
        named.values.append(value)
    return [named, ast.Tuple(elts=list(map(_load, hidden)), ctx=ast.Load()), *rest]


def _declared(parameters: Iterable[inspect.Parameter]) -> ast.arguments:
    """The parameters as a function definition has them; the defaults are set later."""
    made = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    for parameter in parameters:
        argument = ast.arg(arg=parameter.name)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            made.posonlyargs.append(argument)
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            made.args.append(argument)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            made.vararg = argument
        elif parameter.kind is parameter.KEYWORD_ONLY:
            made.kwonlyargs.append(argument)
            made.kw_defaults.append(None)
        else:
            made.kwarg = argument
    return made


def _only_code(code: CodeType) -> CodeType:
    return next(each for each in code.co_consts if isinstance(each, CodeType))


def _load(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
