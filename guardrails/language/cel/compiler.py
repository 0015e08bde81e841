"""From a checked condition to a Python function.

Code is made once for each shape of a condition and shared by all conditions of that shape; what
differs, literals and places, are the defaults of the function's parameters.
"""

from __future__ import annotations

from functools import lru_cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from guardrails.errors import EvaluationError
from guardrails.language.cel.access import elements, entries, has_key, look_up, map_from
from guardrails.language.cel.arithmetic import add, divide, modulo, multiply, negate, subtract
from guardrails.language.cel.equality import contains, equal, key_of, unequal
from guardrails.language.cel.errors import out_of_stack
from guardrails.language.cel.faults import UNJUDGED, ConditionError, refused, worded
from guardrails.language.cel.ordering import greater, greater_equal, less, less_equal, unordered
from guardrails.language.cel.relations import RUNTIME_TYPES
from guardrails.language.cel.shape import outline
from guardrails.language.cel.writer import code_for
from guardrails.values import Duration, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.language.cel.faults import Trace
    from guardrails.language.cel.functions.signature import Budget
    from guardrails.language.cel.library import Table
    from guardrails.language.cel.shape import Shape
    from guardrails.language.cel.tree import Checked

SHAPES_KEPT = 4096
"""Shapes whose code is kept for conditions to come; a large set of policies has dozens."""


def compile_condition(checked: Checked) -> Callable[[dict[str, Any], Any], object]:
    """A function of the arguments and a frame that gives the condition's value.

    The frame has the other variables as attributes, and in `steps` the work that is left, which
    it takes from. The function raises nothing but `EvaluationError`. Raises `CelError` where
    Python's stack is too full to compile.
    """
    try:
        plan = outline(checked.root)
        code = _code_of(plan.shape, len(plan.slots))
    except RecursionError:
        raise out_of_stack(checked.root.start, checked.root.end) from None
    trace = (checked.source, tuple(plan.places))
    return FunctionType(code, _RUNTIME, "condition", (*plan.slots, trace))


@lru_cache(SHAPES_KEPT)
def _code_of(shape: Shape, slots: int) -> CodeType:
    module = compile(code_for(shape, slots), "<condition>", "exec", dont_inherit=True)
    return next(each for each in module.co_consts if isinstance(each, CodeType))


def _worded(error: Exception, trace: Trace) -> ConditionError:
    return worded(error, trace, _RUNTIME)


def _first(kept: ConditionError | None, error: Exception, trace: Trace) -> ConditionError:
    """The first of the errors that a part of the condition has met."""
    return kept or _worded(error, trace)


def _refuse(*operands: object) -> NoReturn:
    raise refused(*operands)


def _fail(message: str) -> NoReturn:
    raise EvaluationError(message)


def _no_truth(value: object) -> NoReturn:
    raise EvaluationError("not true or false" if type(value) in RUNTIME_TYPES else UNJUDGED)


def _no_keys(value: object) -> NoReturn:
    raise EvaluationError("only maps have keys" if type(value) in RUNTIME_TYPES else UNJUDGED)


def _no_order() -> NoReturn:
    raise unordered()


def _dispatch(budget: Budget, table: Table, *operands: object) -> object:
    """The value of the library function of `table` that takes operands of these types."""
    found = table.get(tuple(map(type, operands)))
    if found is None:
        raise refused(*operands)
    implementation, charged = found
    return implementation(budget, *operands) if charged else implementation(*operands)


_RUNTIME: dict[str, Any] = {
    "__builtins__": {},
    "Duration": Duration,
    "Exception": Exception,
    "Timestamp": Timestamp,
    "UInt": UInt,
    "add": add,
    "bool": bool,
    "bytes": bytes,
    "contains": contains,
    "dict": dict,
    "dispatch": _dispatch,
    "divide": divide,
    "elements": elements,
    "entries": entries,
    "equal": equal,
    "fail": _fail,
    "first": _first,
    "float": float,
    "greater": greater,
    "greater_equal": greater_equal,
    "has_key": has_key,
    "int": int,
    "key_of": key_of,
    "less": less,
    "less_equal": less_equal,
    "list": list,
    "look_up": look_up,
    "map_from": map_from,
    "modulo": modulo,
    "multiply": multiply,
    "negate": negate,
    "no_keys": _no_keys,
    "no_order": _no_order,
    "no_truth": _no_truth,
    "none": type(None),
    "refuse": _refuse,
    "str": str,
    "subtract": subtract,
    "type": type,
    "unequal": unequal,
    "worded": _worded,
}
"""All that the code of a condition can reach, beside its parameters."""
