"""Whether a path lies within a folder, read so that no other reader could answer differently.

Lexical: no file is looked at, so links are not seen. POSIX paths only; on whatever shells,
globbing, URL decoding, Windows and normalising file systems would read otherwise the function
raises `EvaluationError`, so that the rule fails closed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import category, is_normalized, normalize

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import BOOL, STRING

if TYPE_CHECKING:
    from collections.abc import Callable

PATH_LENGTH_MAX = 4096
"""Characters of a path: `PATH_MAX` of Linux, which no path that can be opened passes."""

_SPECIAL = re.compile(r"[\x00-\x1f\x7f\\~%$*?{}]")
"""Control characters, the separator of Windows, and what is expanded: `~`, `%`, `$`, globs."""

_DRIVE = re.compile(r"/[A-Za-z]:(?:/|\Z)")

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that no one sees and that some file systems pass over."""

_BEST_FIT = frozenset("\xa5\u20a9\u2044\u2215\u2216\u29f5\u29f8\u29f9")
"""Characters that code pages of Windows take for a slash or backslash."""


def path_within(budget: Budget, path: str, root: str) -> bool:
    r"""Whether `path` is `root` or lies under it, component by component.

    `path_within("/data/a.txt", "/data")` is true, and false for `"/database"`. Case counts. Errors:
    either is not absolute, or has more than 4,096 characters, an empty component (`//`), one that
    ends in a dot or a space (`.`, `..`), a drive, or any of `\ ~ % $ * ? { }`, a hidden name with
    `[`, a control or invisible character, a character that stands for one of those (such as the
    full-width slash), or isn't in Unicode's normal form C. A literal root like that is a fault of
    the policy, found when it is loaded.
    """
    _charge_path(budget, path)
    _charge_path(budget, root)
    return _is_within(canonical_path(path), canonical_path(root))


def _charge_path(budget: Budget, path: str) -> None:
    size = min(len(path), PATH_LENGTH_MAX)
    charge(budget, 16 + (size // 16 if path.isascii() else 4 * size))


def _is_within(path: str, root: str) -> bool:
    return path.startswith(root)


def canonical_path(path: str) -> str:
    """`path` ending in one slash; raises `EvaluationError` if it isn't a plain absolute path."""
    if len(path) > PATH_LENGTH_MAX:
        raise EvaluationError(f"a path has at most {PATH_LENGTH_MAX} characters")
    if not path.startswith("/"):
        raise EvaluationError("a path must be absolute and begin with `/`")
    if _SPECIAL.search(path):
        raise EvaluationError("a path must not hold a control character or any of `\\~%$*?{}`")
    if not path.isascii():
        _check_unicode(path)
    if _DRIVE.match(path):
        raise EvaluationError("a path must not name a drive")
    if path == "/":
        return path
    path = path.removesuffix("/")
    for component in path[1:].split("/"):
        _check_component(component)
    return f"{path}/"


def _check_component(component: str) -> None:
    if not component or component[-1] in {".", " "}:
        raise EvaluationError(
            "a path must not hold `//`, `.`, `..` or a component that ends in a dot or a space"
        )
    if component[0] == "." and "[" in component:
        raise EvaluationError("a path must not hold a hidden name with `[`, which may match `..`")


def _check_unicode(path: str) -> None:
    if not is_normalized("NFC", path):
        raise EvaluationError("a path must be in Unicode's normal form C")
    for character in path:
        if character.isascii():
            continue
        compatible = normalize("NFKC", character)
        if (
            character in _BEST_FIT
            or category(character) in _INVISIBLE
            or _SPECIAL.search(compatible)
            or "/" in compatible
            or "." in compatible
        ):
            raise EvaluationError("a path must not hold characters that are invisible or stand in")


def _specialise(literals: tuple[object | None, ...]) -> Callable[..., object] | None:
    literal = literals[1]
    if not isinstance(literal, str) or _check_root(literals):
        return None
    root = canonical_path(literal)

    def specialised(budget: Budget, path: str, _root: str) -> bool:
        _charge_path(budget, path)
        return _is_within(canonical_path(path), root)

    return specialised


def _check_root(literals: tuple[object | None, ...]) -> str | None:
    root = literals[1]
    if not isinstance(root, str):
        return None
    try:
        canonical_path(root)
    except EvaluationError as error:
        return f"`{root}` is no plain path such as `/srv/data`: {error}"
    return None


OVERLOADS = (
    Overload(
        "path_within",
        (STRING, STRING),
        BOOL,
        receiver=False,
        implementation=path_within,
        check_literals=_check_root,
        specialise=_specialise,
    ),
)
