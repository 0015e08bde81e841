"""`paths`: the paths that an argument or a text names, with `..` and encodings resolved.

Lexical, as `path_within` is: no file is looked at, so links are not seen. Where that matters, let
the tool resolve its path and a fact of the host's say what it found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.paths import canonical_path
from guardrails.language.cel.functions.reading.texts import readings
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import STRING, list_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH_STEPS = 64
"""The charge for a path found, beside its characters."""

_TOKEN = re.compile(r"[^\s\"'`,;()<>|=]+")
_PATH_LIKE = re.compile(r"[/~.$\\]|file:|[A-Za-z]:[\\/]", re.IGNORECASE)
_BEGINS = re.compile(r"[/~$]|file:", re.IGNORECASE)
_HOME = re.compile(r"(?:~|\$HOME|\$\{HOME\})(?=/|\Z)")
_URL = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*://", re.IGNORECASE)
_FILE = re.compile(r"file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_TRAILING = ".,:!?"


def paths(budget: Budget, text: str, folder: str = "") -> list[str]:
    """The paths in `text`, normalised: `paths("/a/./b/../c ~/d")` is `["/a/c", "~/d"]`.

    `text` may be one path, with blanks in it or not, or hold several among words; a word counts
    if it has a slash, begins with `.` or `~`, or is all there is. `~` and `$HOME` stay `~`,
    `file://` and percent-encoding are taken off. Paths that aren't absolute are taken from
    `folder` if it is given (`paths(arguments.file, "/srv/app")`), and else stay as they are.

    Errors: a path that leaves a folder that is not known by `..`, or has a backslash, a drive, a
    glob, another variable, or whatever else `path_within` refuses; a text that is encoded more
    than three times.
    """
    charge(budget, 8 + len(text) // 3)
    found: dict[str, None] = {}
    texts = readings(text)
    for reading in texts:
        for written in _found_in(reading):
            charge(budget, PATH_STEPS + len(written) // (16 if written.isascii() else 1))
            if "%" not in written or reading is texts[-1]:
                found[_normalised(written, folder)] = None
    return list(found)


def _found_in(text: str) -> Iterator[str]:
    whole = text.strip()
    tokens = _TOKEN.findall(whole)
    if len(tokens) > 1 and _PATH_LIKE.match(whole) and not any(map(_BEGINS.match, tokens[1:])):
        yield whole
    for token in tokens:
        trimmed = token if len(tokens) == 1 else _trimmed(token)
        if not trimmed or _URL.match(trimmed):
            continue
        if len(tokens) == 1 or "/" in trimmed or _PATH_LIKE.match(trimmed) or "\\" in trimmed:
            yield trimmed


def _trimmed(token: str) -> str:
    """`token` without the punctuation of a sentence after it."""
    shorter = token.rstrip(_TRAILING)
    return shorter if shorter and not shorter.endswith("/") else token


def _normalised(written: str, folder: str) -> str:
    path = _FILE.sub("", written, count=1) if _FILE.match(written) else written
    home = _HOME.match(path)
    if home:
        return f"~{_resolved(path[home.end() :].lstrip('/'), '')}".removesuffix("/")
    if path.startswith("/"):
        return _resolved(path, "")
    if folder:
        return _resolved(path, canonical_path(folder))
    return _resolved(path, "").removeprefix("/") or "."


def _resolved(path: str, folder: str) -> str:
    """The absolute form of `path` in `folder`, both lexical; `/` where it names the root."""
    parts: list[str] = []
    for part in f"{folder}/{path}".split("/"):
        if part == "..":
            if not parts and not path.startswith("/"):
                raise EvaluationError("a path leaves a folder that is not known, by `..`")
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    absolute = "/" + "/".join(parts)
    canonical_path(absolute)
    return absolute


def _check_folder(literals: tuple[object | None, ...]) -> str | None:
    folder = literals[1] if len(literals) > 1 else None
    if not isinstance(folder, str):
        return None
    try:
        canonical_path(folder)
    except EvaluationError as error:
        return f"`{folder}` is no plain folder such as `/srv/app`: {error}"
    return None


OVERLOADS = tuple(
    Overload(
        "paths",
        parameters,
        list_of(STRING),
        receiver=False,
        implementation=paths,
        check_literals=_check_folder,
    )
    for parameters in ((STRING,), (STRING, STRING))
)
