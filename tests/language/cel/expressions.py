"""Conditions made up at random, for laws and for the comparison with Google's runtime.

They are well typed, so that both checkers take them, apart from what hides behind `dyn`. No
double becomes NaN: what that means is where the two languages differ on purpose.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Source = st.SearchStrategy[str]

VARIABLES = ("x", "y", "z")

INTS = st.sampled_from(
    ["0", "1", "2", "3", "-1", "7", "100", "9223372036854775807", "-9223372036854775808",
     "9007199254740993"]
)  # fmt: skip
UINTS = st.sampled_from(["0u", "1u", "2u", "3u", "18446744073709551615u", "9007199254740993u"])
DOUBLES = st.sampled_from(["0.0", "1.0", "-1.5", "2.0", "0.1", "1e3", "9007199254740992.0"])
TEXTS = st.sampled_from(["''", "'a'", "'ab'", "'b'", "'é'", "'zebra'", "'1'", "'\\U0001f600'"])
BYTES = st.sampled_from(["b''", "b'a'", "b'\\xff'"])
DURATIONS = st.sampled_from(["duration('1h')", "duration('-90s')", "duration('1ns')"])
TIMESTAMPS = st.sampled_from(
    ["timestamp('2027-01-08T09:30:00Z')", "timestamp('1999-12-31T23:59:59.5Z')", "timestamp(0)"]
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1])
    | st.sampled_from([0.0, 1.0, -1.5, 2.0, 3.5, 2.0**53, 1e300])
    | st.sampled_from(["", "a", "ab", "b", "é", "1"])
    | st.sampled_from([b"", b"a"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "k"]), inner, max_size=3)
    ),
    max_leaves=5,
)
INPUTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(dict.fromkeys(VARIABLES, VALUES))


def _filled(template: str, *parts: Source) -> Source:
    return st.tuples(*parts).map(lambda chosen: template.format(*chosen))


def _operated(operators: str, operand: Source) -> Source:
    return _filled("({} {} {})", operand, st.sampled_from(operators.split()), operand)


def booleans(depth: int) -> Source:
    """Conditions of at most this depth."""
    if depth == 0:
        return st.sampled_from(["true", "false", "dyn(x)", "x == y", "has(z.a)"])
    inner = booleans(depth - 1)
    numbers = [integers(depth - 1), unsigned(depth - 1), doubles(depth - 1)]
    texts, anything = strings(depth - 1), dynamic(depth - 1)
    lists = lists_of_integers(depth - 1)
    orders = "< <= > >= == !="
    return st.one_of(
        inner,
        _operated("&& ||", inner),
        _filled("!{}", inner.map(lambda source: f"({source})")),
        _filled("({} ? {} : {})", inner, inner, inner),
        *(_operated(orders, operand) for operand in (*numbers, texts, spans(), times())),
        _operated(orders, st.one_of(*numbers).map(lambda source: f"dyn({source})")),
        _operated(orders, anything),
        _operated("== !=", lists),
        _filled("({} in {})", numbers[0], lists),
        _filled("({} in {})", anything, anything),
        _filled("({} in [{}, {}])", texts, texts, texts),
        _filled("({} in {{'a': 1, 'b': {}}})", texts, numbers[0]),
        _filled("{}.{}({})", texts, st.sampled_from(["startsWith", "endsWith", "contains"]), texts),
        _filled(
            "{}.{}(v, v {} {})",
            lists,
            st.sampled_from(["all", "exists", "exists_one"]),
            st.sampled_from(orders.split()),
            numbers[0],
        ),
        _filled("dyn({}).{}(v, {} == v)", anything, st.sampled_from(["all", "exists"]), anything),
        _filled("{}.exists(v, {})", lists, inner),
        _filled("has(dyn({}).k)", anything),
    )


def integers(depth: int) -> Source:
    """Expressions of type int."""
    if depth == 0:
        return INTS
    inner = integers(depth - 1)
    return st.one_of(
        INTS,
        _operated("+ - * / %", inner),
        _filled("-({})", inner),
        _filled("size({})", st.one_of(strings(depth - 1), lists_of_integers(depth - 1), BYTES)),
        _filled("int({})", st.one_of(doubles(depth - 1), unsigned(depth - 1))),
        _filled("{}[{}]", lists_of_integers(depth - 1), inner),
        _filled("({} ? {} : {})", booleans(depth - 1), inner, inner),
        _filled("{{'a': {}, 'b': {}}}[{}]", inner, inner, strings(depth - 1)),
    )


def unsigned(depth: int) -> Source:
    """Expressions of type uint."""
    if depth == 0:
        return UINTS
    inner = unsigned(depth - 1)
    return st.one_of(UINTS, _operated("+ - * / %", inner), _filled("uint({})", integers(depth - 1)))


def doubles(depth: int) -> Source:
    """Expressions of type double, none of them NaN or so large that it could become NaN."""
    if depth == 0:
        return DOUBLES
    inner = doubles(depth - 1)
    return st.one_of(
        DOUBLES,
        _operated("+ - *", inner),
        _filled("({} / 2.0)", inner),
        _filled("double({})", st.one_of(INTS, UINTS)),
        _filled("-({})", inner),
    )


def strings(depth: int) -> Source:
    """Expressions of type string."""
    if depth == 0:
        return TEXTS
    inner = strings(depth - 1)
    return st.one_of(
        TEXTS,
        _operated("+", inner),
        _filled("string({})", st.one_of(integers(depth - 1), booleans(0), doubles(depth - 1))),
        _filled("({} ? {} : {})", booleans(depth - 1), inner, inner),
    )


def lists_of_integers(depth: int) -> Source:
    """Expressions of type list(int)."""
    elements = integers(depth - 1) if depth else INTS
    written = st.lists(elements, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
    if depth == 0:
        return written
    inner = lists_of_integers(depth - 1)
    return st.one_of(
        written,
        _operated("+", inner),
        _filled("{}.map(v, v {} {})", inner, st.sampled_from(["+", "-", "*", "/"]), elements),
        _filled("{}.filter(v, v {} {})", inner, st.sampled_from(["<", "!=", ">="]), elements),
    )


def times() -> Source:
    """Expressions of type timestamp."""
    return st.one_of(TIMESTAMPS, _filled("({} + {})", TIMESTAMPS, spans()))


def spans() -> Source:
    """Expressions of type duration."""
    return st.one_of(
        DURATIONS, _operated("+ -", DURATIONS), _filled("({} - {})", TIMESTAMPS, TIMESTAMPS)
    )


def dynamic(depth: int) -> Source:
    """Expressions whose type only evaluation knows."""
    variables = st.sampled_from(VARIABLES)
    if depth == 0:
        return variables
    inner = dynamic(depth - 1).map(lambda source: f"dyn({source})")  # lest types be inferred
    return st.one_of(
        variables,
        _filled("{}.{}", inner, st.sampled_from(["a", "k"])),
        _filled("{}[{}]", inner, st.one_of(INTS, TEXTS, variables)),
        _operated("+ - *", inner),
        *(
            _filled("dyn({})", operand)
            for operand in (integers(0), unsigned(0), doubles(0), strings(0), BYTES, booleans(0))
        ),
    )
