"""Policy files -> one checked bundle, or every problem in them."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.errors import PolicyError, Problem
from guardrails.language.declarations import declare
from guardrails.language.document import Bundle, Document
from guardrails.language.draft import Draft, Part
from guardrails.language.folder import REGO, Folder, folder_of, read_folder
from guardrails.language.linker import Linker
from guardrails.language.rules import read_rules
from guardrails.language.validation import find_faults
from guardrails.language.yaml_reader import decode, read_yaml
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from guardrails.language.declarations import Declarations
    from guardrails.language.folder import File
    from guardrails.language.rego.policies import RegoChoice
    from guardrails.language.yaml_tree import Tree

_NOTHING = "there is no policy document (`*.yaml`, `*.yml`, `*.rego`) here"


def load(
    path: str | os.PathLike[str],
    *,
    shown: str | os.PathLike[str] | None = None,
    rego: RegoChoice | None = None,
) -> Bundle:
    """The policies in a folder, searched recursively, or in one file.

    `shown` is what people call it, if that is another path. `rego` says how Rego modules are
    evaluated, if not as the project's settings do: `embedded` or the URL of an OPA server,
    `RegoSettings`, or an engine.

    Raises PolicyError with every problem found. A missing folder and one without a policy document
    are problems, and so is a test file that is no YAML: it could hide a policy.
    """
    known = path if shown is None else shown
    if not str(known):  # `Path` would take it for the current folder, which is nobody's choice
        raise PolicyError([Problem("", 0, 0, "the path of the policies is empty")])
    return load_folder(read_folder(Path(path), Path(known)), str(Path(known)), rego)


def read_revision(path: str | os.PathLike[str]) -> str:
    """The revision that a bundle of the files in a folder would have, whether they load or not."""
    return _digest(read_folder(Path(path)))


def load_texts(texts: Mapping[str, str | bytes]) -> Bundle:
    """The policies in `texts`, by paths as they would be below a policy folder.

    Raises PolicyError as `load` does.
    """
    return load_folder(folder_of(texts), "policies")


def load_folder(folder: Folder, root: str, rego: RegoChoice | None = None) -> Bundle:
    """The policies in files that have been read; `root` is how people know their folder.

    `rego` is as `load` has it.

    Raises PolicyError as `load` does.
    """
    if not folder.documents and not folder.modules and not folder.problems:
        folder.refuse(root, _NOTHING)
    with without_collector():
        bundle, problems = _link(folder, rego)
    if problems:
        raise PolicyError(problems)
    return bundle


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the garbage collector from going through all that loading makes, again and again.

    It would find nothing: loading makes no cycles. It is 3 s of 3.6 for 10,000 rules.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _link(folder: Folder, rego: RegoChoice | None) -> tuple[Bundle, list[Problem]]:
    """The bundle of a folder's files, and every problem; with problems it is not whole."""
    problems = folder.problems
    drafts = [_read_draft(file, problems) for file in folder.documents]
    for file in folder.tests:
        _check_test(folder, file, problems)
    read = [draft for draft in drafts if draft is not None]
    declared = declare(read, problems, whole=len(read) == len(drafts))
    linker = Linker(declared)
    documents = tuple(_make_document(draft, declared, linker, problems) for draft in read)
    if folder.modules:
        documents += _read_rego(folder, documents, declared, rego)
    bundle = Bundle(
        documents=documents,
        constants=declared.constants,
        tools=declared.tools,
        context=declared.context,
        revision=_digest(folder),
        tests=tuple(file.path for file in folder.tests),
        unrecognised=tuple(folder.unrecognised),
    )
    return bundle, problems


def _read_tree(file: File, problems: list[Problem]) -> tuple[Tree | None, bool]:
    """The data of a file, and whether it has no fault so far."""
    try:
        source = decode(file.path, file.data)
    except Fault as fault:
        problems.append(fault.problem)
        return None, False
    tree, found = read_yaml(source)
    problems += found
    return tree, not found


def _read_draft(file: File, problems: list[Problem]) -> Draft | None:
    tree, clean = _read_tree(file, problems)
    if tree is None:
        return None
    faults, broken = find_faults(tree)
    problems += faults
    return None if () in broken else Draft(tree, Part(tree.data, broken), clean)


def _check_test(folder: Folder, file: File, problems: list[Problem]) -> None:
    """Refuse a policy in a file that is named as a test: it would never be in force."""
    if file.name.lower().endswith(REGO):
        from guardrails.language.rego.policies import check_test  # noqa: PLC0415 - only where there is Rego

        check_test(folder, file)
    else:
        tree, _ = _read_tree(file, problems)
        if tree is not None and type(tree.data) is dict and "policy" in tree.data:
            message = "a policy in a file named as a test would never be in force; rename the file"
            problems.append(tree.problem(tree.key(tree.data, "policy"), message))


def _make_document(
    draft: Draft, declared: Declarations, linker: Linker, problems: list[Problem]
) -> Document:
    root = draft.root
    return Document(
        path=draft.tree.source.path,
        policy=draft.policy,
        description=root.get("description", ""),
        owner=root.get("owner", ""),
        controls=root.names("controls"),
        constants=root.get("constants", {}),
        tools=tuple(declared.tools[name] for name, _ in root.parts("tools")),
        rules=read_rules(draft, linker, problems),
        places=draft.tree.places(root.data),
    )


def _read_rego(
    folder: Folder,
    documents: tuple[Document, ...],
    declared: Declarations,
    rego: RegoChoice | None,
) -> tuple[Document, ...]:
    """The policies in Rego modules; their faults are added to the folder's."""
    from guardrails.language.rego.policies import read_policies  # noqa: PLC0415 - only where there is Rego

    return read_policies(folder, documents, declared.constants, rego)


def _digest(folder: Folder) -> str:
    """`sha256:` and the digest of all that decides, with names and lengths."""
    digest = sha256()
    for file in sorted(folder.decisive, key=lambda file: file.name):
        for part in (file.name.encode(errors="surrogateescape"), file.data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"
