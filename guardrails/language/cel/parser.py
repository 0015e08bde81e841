"""From the text of a condition to its tree, by the grammar of the CEL specification.

One pass: operators by precedence, everything else by recursive descent. Work and depth are
bounded, so that no text takes long or ends in anything but a tree or a `CelError`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from guardrails.language.cel import foreign_words
from guardrails.language.cel.errors import CelError
from guardrails.language.cel.lexer import Token, tokens_of
from guardrails.language.cel.literals import float_value, int_value, text_value
from guardrails.language.cel.macros import VARIABLES, expand, expand_has
from guardrails.language.cel.tree import (
    Call,
    Conditional,
    Expression,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Node,
    Operation,
    Select,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_DEPTH = 50
"""How deep a condition may be nested. The specification asks for 12 to 32 (`parse.nest`). The
compiler goes up to 13 calls deeper for each, and Python's stack is 1,000 calls."""

_RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip
"""Words that are no variable or function, but fine after a dot (specification, "Syntax")."""

_LEVELS = ("||", "&&", "== != < <= > >= in", "+ -", "* / %")
_PRECEDENCE = {sign: level for level, signs in enumerate(_LEVELS) for sign in signs.split()}
_LOGICAL = frozenset({"&&", "||"})
_SIGNS = frozenset({"!", "-"})
_NUMBERS = frozenset({"int", "float"})
_TRAILERS = frozenset({".", "[", "{"})

_CONSTANTS = {"true": True, "false": False, "null": None}


def parse(source: str, *, macros: bool = True) -> Expression:
    """The tree of a condition; raises `CelError` at the first fault of its syntax.

    Without `macros`, `has` and its kin are read as calls of functions.
    """
    tokens = tokens_of(source)
    try:
        root = _Parser(tokens, macros=macros).whole()
    except RecursionError:
        raise _too_deep(tokens[0]) from None
    if len(tokens) > MAX_DEPTH:
        _check_height(root)
    return Expression(source, root)


def _too_deep(place: Token | Node) -> CelError:
    return CelError(
        f"nested more than {MAX_DEPTH} deep; split the condition into several rules",
        place.start,
        place.end,
    )


def _check_height(root: Node) -> None:
    """Refuse long chains like `a + b + c ..`, which are deep trees though nothing is nested."""
    level: list[Node] = [root]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.children()]
        if not level:
            return
    raise _too_deep(level[0])


class _Parser:
    """Reads `tokens` from left to right; every method leaves off behind what it has read."""

    __slots__ = ("_depth", "_macros", "_position", "_tokens", "token")

    def __init__(self, tokens: list[Token], *, macros: bool) -> None:
        self._tokens = tokens
        self._macros = macros
        self._position = 0
        self._depth = 0
        self.token = tokens[0]

    def whole(self) -> Node:
        if self.token.kind == "end":
            end = max(self.token.end, 1)
            raise CelError("an empty condition; write `true` if it always holds", 0, end)
        root = self.expression()
        if self.token.kind != "end":
            self.refuse("expected an operator or the end")
        return root

    def advance(self) -> Token:
        """The current token; the one after it becomes the current."""
        token = self.token
        self._position += 1
        self.token = self._tokens[self._position]
        return token

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep(self.token)
        node = self.binary(0)
        if self.token.kind == "?":
            question = self.advance()
            chosen = self.binary(0)
            self.expect(":", question)
            otherwise = self.expression()
            node = Conditional(node.start, otherwise.end, node, chosen, otherwise)
        self._depth -= 1
        return node

    def binary(self, lowest: int) -> Node:
        """Operands joined by operators of at least precedence `lowest`, from the left."""
        left = self.unary()
        while (precedence := _PRECEDENCE.get(self.token.kind, -1)) >= lowest:
            operator = self.advance().kind
            right = self.binary(precedence + 1)
            if operator not in _LOGICAL:
                left = Operation(left.start, right.end, operator, (left, right))
                continue
            operands = [left, right]
            while self.token.kind == operator:
                self.advance()
                operands.append(self.binary(precedence + 1))
            left = Logic(left.start, operands[-1].end, operator, tuple(operands))
        return left

    def unary(self) -> Node:
        """An operand with its signs before and its selections, calls and look-ups behind."""
        signs = []
        while self.token.kind in _SIGNS:
            signs.append(self.advance())
        if signs and signs[-1].kind == "-" and self.token.kind in _NUMBERS:
            node = self.number(signs.pop().start, negative=True)
        else:
            read = _READERS.get(self.token.kind)
            if read is None:
                self.refuse("expected a value")
            node = read(self)
        if self.token.kind in _TRAILERS:
            node = self.members(node)
        for sign in reversed(signs):
            node = Operation(sign.start, node.end, sign.kind, (node,))
        return node

    def members(self, node: Node) -> Node:
        """`node` with the selections, calls and look-ups behind it."""
        while (kind := self.token.kind) in _TRAILERS:
            opening = self.advance()
            if kind == ".":
                node = self.selection(node)
            elif kind == "[":
                index = self.expression()
                closing = self.expect("]", opening)
                node = Operation(node.start, closing.end, "[]", (node, index))
            else:
                raise CelError(
                    "messages are no part of conditions; a map is written `{'key': value}`",
                    node.start,
                    opening.end,
                )
        return node

    def selection(self, operand: Node) -> Node:
        token = self.token
        if token.kind == "quoted":
            self.advance()
            return Select(operand.start, token.end, operand, token.text[1:-1])
        if token.kind != "name":
            self.refuse("expected a key after the dot")
        self.advance()
        if self.token.kind != "(":
            return Select(operand.start, token.end, operand, token.text)
        arguments, end = self.arguments()
        if self._macros and token.text in VARIABLES:
            return expand(operand.start, end, token.text, operand, arguments)
        return Call(operand.start, end, token.text, operand, arguments)

    def arguments(self) -> tuple[tuple[Node, ...], int]:
        opening = self.advance()
        arguments = []
        while self.token.kind != ")":
            arguments.append(self.expression())
            if self.token.kind != ",":
                break
            self.advance()
            if self.token.kind == ")":
                self.refuse("expected an argument after the comma")
        return tuple(arguments), self.expect(")", opening).end

    def group(self) -> Node:
        opening = self.advance()
        node = self.expression()
        closing = self.expect(")", opening)
        return replace(node, start=opening.start, end=closing.end)

    def absolute(self) -> Node:
        dot = self.advance()
        if self.token.kind != "name":
            self.refuse("expected a name after the dot")
        return self.called(dot.start, ".")

    def text(self) -> Node:
        token = self.advance()
        return Literal(token.start, token.end, text_value(token))

    def constant(self) -> Node:
        token = self.advance()
        return Literal(token.start, token.end, _CONSTANTS[token.kind])

    def plain_number(self) -> Node:
        return self.number(self.token.start, negative=False)

    def number(self, start: int, *, negative: bool) -> Node:
        token = self.advance()
        read = int_value if token.kind == "int" else float_value
        if self.token.kind == "name" and self.token.start == token.end:
            raise CelError(
                f"`{token.text}{self.token.text}` is no number; write digits alone, as 1000000",
                token.start,
                self.token.end,
            )
        return Literal(start, token.end, read(token, negative=negative))

    def name(self) -> Node:
        return self.called(self.token.start, "")

    def called(self, start: int, dot: str) -> Node:
        """A name, or the call of a function of that name."""
        token = self.advance()
        if token.text in _RESERVED:
            meant = foreign_words.SYNTAX.get(token.text)
            advice = f"; {meant}" if meant else ""
            raise CelError(f"`{token.text}` is a reserved word{advice}", token.start, token.end)
        if self.token.kind != "(":
            return Name(start, token.end, dot + token.text)
        arguments, end = self.arguments()
        if self._macros and token.text == "has":
            return expand_has(start, end, arguments)
        return Call(start, end, dot + token.text, None, arguments)

    def list(self) -> Node:
        opening = self.advance()
        elements = []
        while self.token.kind != "]":
            elements.append(self.expression())
            if self.token.kind != ",":
                break
            self.advance()
        closing = self.expect("]", opening)
        return ListOf(opening.start, closing.end, tuple(elements))

    def map(self) -> Node:
        opening = self.advance()
        entries = []
        while self.token.kind != "}":
            key = self.expression()
            self.expect(":", opening)
            entries.append((key, self.expression()))
            if self.token.kind != ",":
                break
            self.advance()
        closing = self.expect("}", opening)
        return MapOf(opening.start, closing.end, tuple(entries))

    def expect(self, kind: str, opening: Token) -> Token:
        """The current token if it is `kind`, which belongs to `opening`."""
        if self.token.kind == kind:
            return self.advance()
        if self.token.kind == "end":
            raise CelError(f"`{opening.text}` without its `{kind}`", opening.start, opening.end)
        return self.refuse(f"expected `{kind}`")

    def refuse(self, expected: str) -> NoReturn:
        token = self.token
        before = self._tokens[self._position - 1] if self._position else token
        for word in (token.text, token.text.lower(), before.text, before.text.lower()):
            if word in foreign_words.SYNTAX:
                place = token if word in (token.text, token.text.lower()) else before
                raise CelError(foreign_words.SYNTAX[word], place.start, place.end)
        found = f"found `{token.text}`" if token.text else "found the end"
        raise CelError(f"{expected}, {found}", token.start, max(token.end, token.start + 1))


_READERS: Mapping[str, Callable[[_Parser], Node]] = {
    "name": _Parser.name,
    "int": _Parser.plain_number,
    "float": _Parser.plain_number,
    "string": _Parser.text,
    "true": _Parser.constant,
    "false": _Parser.constant,
    "null": _Parser.constant,
    "(": _Parser.group,
    "[": _Parser.list,
    "{": _Parser.map,
    ".": _Parser.absolute,
}
"""What reads an operand, by the kind of its first token."""
