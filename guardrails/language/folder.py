"""The files of a policy folder, sorted out by kind."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from guardrails.display import escape
from guardrails.errors import Problem
from guardrails.language.yaml_reader import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

REGO = ".rego"
_READ = frozenset({".yaml", ".yml", REGO})
_DATA = frozenset({"data.json", "data.yaml", "data.yml"})
"""Names of the files that hold data for Rego modules, as in OPA's bundles."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read: its name below the folder, and its path as people know it."""

    name: str
    path: str
    data: bytes


@dataclass(slots=True)
class Folder:
    """What a folder holds: policy documents, Rego modules and their data, tests, and other files.

    `unrecognised` are those of a kind that is not read. `root` is where it is, and `shown` what
    people call it.
    """

    root: Path = Path()
    shown: Path = Path()
    documents: list[File] = field(default_factory=list)
    modules: list[File] = field(default_factory=list)
    data: list[File] = field(default_factory=list)
    tests: list[File] = field(default_factory=list)
    unrecognised: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, name: str, path: str, data: bytes) -> None:
        """Take a file in, by the kind that its name says."""
        lower = PurePosixPath(name.lower())
        if lower.name in _DATA:
            self.data.append(File(name, path, data))
        elif lower.suffix not in _READ:
            self.unrecognised.append(path)
        elif lower.stem.endswith("_test"):
            self.tests.append(File(name, path, data))
        elif lower.suffix == REGO:
            self.modules.append(File(name, path, data))
        else:
            self.documents.append(File(name, path, data))

    @property
    def decisive(self) -> list[File]:
        """The files that decisions depend on."""
        return [*self.documents, *self.modules, *self.data]

    def place(self, path: Path) -> str:
        """What people call the file at `path`."""
        return str(self.shown / path.relative_to(self.root))

    def refuse(self, path: str, reason: str) -> None:
        """Note a problem of a file as a whole."""
        self.problems.append(Problem(escape(path), 0, 0, escape(reason)))


def folder_of(texts: Mapping[str, str | bytes]) -> Folder:
    """A folder that holds `texts`, by their names below it."""
    folder = Folder()
    for name in sorted(texts):
        text = texts[name]
        data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
        folder.add(name, name, data)
    return folder


def read_folder(root: Path, shown: Path | None = None) -> Folder:
    """What the folder (or the one file) `root` holds; what can't be read is a problem of it.

    `shown` is what people call it, if that is another path.
    """
    folder = Folder(root, root if shown is None else shown)
    try:
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except (OSError, ValueError) as error:
        folder.refuse(folder.place(root), _tell(error))
        return folder
    if not is_folder:
        _take(folder, root.name, root)
        return folder
    for path in _find_files(folder, root):
        _take(folder, path.relative_to(root).as_posix(), path)
    return folder


def _find_files(folder: Folder, root: Path) -> list[Path]:
    """The files below `root`, sorted; a folder that several links lead to is searched once."""
    files: list[Path] = []
    seen: set[tuple[int, int]] = set()
    open_ = [root]
    while open_:
        path = open_.pop()
        try:
            found = path.stat()
            inner = sorted(each for each in path.iterdir() if not each.name.startswith("."))
            folders = {each: None for each in inner if each.is_dir()}
        except OSError as error:
            folder.refuse(folder.place(path), _tell(error))
            continue
        if (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            files += [each for each in inner if each not in folders]
            open_ += reversed(folders)
    return sorted(files)


def _take(folder: Folder, name: str, path: Path) -> None:
    """Read a file, if its kind is read at all."""
    data = b""
    try:
        mode = path.stat().st_mode  # of other files too: a link to nowhere may have led to policies
        if path.suffix.lower() in _READ or path.name.lower() in _DATA:
            if not stat.S_ISREG(mode):
                folder.refuse(
                    folder.place(path), "not a regular file, so it can't be read as a policy"
                )
                return
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        folder.refuse(folder.place(path), _tell(error))
    else:
        folder.add(name, folder.place(path), data)


def _tell(error: Exception) -> str:
    if not isinstance(error, OSError):  # Python refuses such a path before it asks the system
        return "can't be read: no path holds a zero byte"
    return f"can't be read: {(error.strerror or 'no reason given').lower()}"
