"""A folder is not told by the letters of a path.

What it does
------------
Reports `startsWith`, `endsWith`, `contains`, `matches` (and comparisons of what `split`,
`substring` or `replace` leave) that look for a folder in a path, with a path that gets by: it was
tried on the condition. What the argument holds is told by its `kind`, its name, or by what is
looked for (`/srv/data`). A test that none of the paths tried gets by is not reported, and neither
are those of a file's ending or of a name that may stand anywhere in a path.

Why it is bad
-------------
`/office/../etc/passwd` starts with `/office/`, and `/office-backup` with `/office`; `//etc/passwd`
does not start with `/etc`, and is the same file.

Example
-------
    version: 1
    policy: files
    owner: it@acme.example
    tools:
      files.read:
        traits: [read]
        arguments:
          path: {type: string, kind: path}
        required: [path]
    rules:
      - id: the-office
        effect: allow
        tools: files.read
        when: arguments.path.startsWith("/office")

Use instead
-----------
    version: 1
    policy: files
    owner: it@acme.example
    tools:
      files.read:
        traits: [read]
        arguments:
          path: {type: string, kind: path}
        required: [path]
    rules:
      - id: the-office
        effect: allow
        tools: files.read
        when: path_within(arguments.path, "/office")
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.paths import path_within
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.lexical import (
    Candidate,
    find_tests,
    form_of,
    slip,
    sought_text,
    write_proper,
)
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.trial import FAILED, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.lexical import LexicalTest, Text
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.trial import Outcome

_PATH, _OTHER = "path", "other"

_KINDS: Mapping[str, str] = {
    "path": _PATH,
    **dict.fromkeys(("recipient", "amount", "url", "command", "email", "uri"), _OTHER),
}
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("path", "paths", "file", "files", "filename", "filepath", "folder", "folders",
                     "dir", "directory", "directories", "cwd"), _PATH),
    **dict.fromkeys(("url", "urls", "uri", "link", "href", "endpoint", "route", "command", "cmd",
                     "to", "email", "address", "text", "body", "message"), _OTHER),
}  # fmt: skip
_STAND_IN = "/srv/data"

_LITERAL = re.compile(r"(?:\(\?[a-z]+\))?\^?((?:[^\\.\[\](){}*+?|^$]|\\[./_ -]|\[\.\])*)")
_REPEATED = re.compile(r"[*+?{]")
_ENDING = re.compile(r"(?:\\\.|\[\.\])([a-z0-9]+)\$?\Z")


@lint_rule("lexical-path-test", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The tests of folders by the letters of paths that a path gets by."""
    for test in find_tests(project):
        text = sought_text(test, _STAND_IN)
        if text is None:
            continue
        form = form_of(project, test, _WORDS, _KINDS)
        root, ending = _read(test, text.value)
        if not _is_folder(test, root, form):
            continue
        proper = partial(_is_within, root)
        candidates = _foreign(root, ending) if test.helps else _own(root)
        found = slip(test, text.assumed, candidates, proper)
        if found is not None:
            taken = "passes as one in" if test.helps else "is not taken for one in"
            yield project.finding(
                project.at(test.clause.condition, test.node),
                f"{quote(test.function)} does not tell where a path leads: "
                f"{quote(found.text)} {taken} {quote(root)}{text.proviso}",
                why=found.why,
                mend=_mend(test, text, root),
            )


def _read(test: LexicalTest, text: str) -> tuple[str, str]:
    """The folder that is looked for, and how the paths must end."""
    if test.function != "matches":
        return text, ""
    literal = _LITERAL.match(text)
    assert literal is not None
    root = re.sub(r"\\(.)|\[(.)\]", r"\1\2", literal[1])
    if literal.end() < len(text) and text[literal.end()] != "$":
        root = root[: root.rfind("/") + 1]
    ending = _ENDING.search(text)
    return root, f".{ending[1]}" if ending else ""


def _is_folder(test: LexicalTest, root: str, form: str | None) -> bool:
    """Whether a test looks for a folder, or for a file by its whole path."""
    parts = [part for part in root.split("/") if part]
    if "://" in root or not parts or set(parts) <= {".", ".."} or form == _OTHER:
        return False
    absolute = root.startswith("/")
    if test.function in ("contains", "endsWith") or (form is None and not re.search(r"\s", root)):
        # a name that may stand anywhere, such as `/.ssh/` or `node_modules/`, is meant as one
        return absolute and len(parts) > 1 and not parts[0].startswith(".")
    return form == _PATH and (absolute or "/" in root)


def _is_within(root: str, path: str) -> Outcome:
    try:
        return path_within(Budget(), path, root)
    except EvaluationError:
        return FAILED


def _mend(test: LexicalTest, text: Text, root: str) -> str:
    folder = "/" + root.strip("/")
    proper = write_proper(test, text, "path_within", test.written(test.given), folder)
    absolute = "" if root.startswith("/") else "let the tool take absolute paths, and "
    return f"{absolute}write `{proper}`"


def _foreign(root: str, ending: str) -> Iterator[Candidate]:
    """Paths that lie elsewhere."""
    folder = root.rstrip("/")
    up = "/.." * len(folder.strip("/").split("/"))
    if folder == root:
        yield Candidate(f"{folder}-backup/x{ending}", "a folder beside it can begin the same")
        yield Candidate(f"{folder}-backup{ending}", "a folder beside it can begin the same")
    yield Candidate(f"{folder}{up}/etc/passwd{ending}", "`..` leads out of the folder")
    yield Candidate(f"/mnt{root}", "the same names can stand further down")
    yield Candidate(f"/mnt{folder}/x{ending}", "the same names can stand further down")


def _own(root: str) -> Iterator[Candidate]:
    """Paths that lead there, written otherwise."""
    folder = root.rstrip("/")
    above, _, name = folder.rpartition("/")
    for rest in ("", "/x"):
        yield Candidate(f"/{folder}{rest}", "two slashes are read as one")
        yield Candidate(f"/mnt/..{folder}{rest}", "`..` leads back up")
        yield Candidate(f"{above}//{name}{rest}", "two slashes are read as one")
        yield Candidate(f"{above}/./{name}{rest}", "`.` is the folder itself")
