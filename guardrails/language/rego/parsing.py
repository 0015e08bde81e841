"""Files -> modules that have been parsed and analysed, each package as a whole."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.language.rego.checks import check_nesting
from guardrails.language.rego.seam import ParseFailure, Text, Unscheduled
from guardrails.language.rego.syntax import read_tree
from guardrails.language.rego.unbound import find_unbound
from guardrails.language.yaml_reader import decode
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.errors import Problem
    from guardrails.language.folder import File
    from guardrails.language.rego.embedded import EmbeddedEngine
    from guardrails.language.rego.syntax import Module, Path
    from guardrails.language.source import Source


class Parsed(NamedTuple):
    """A module, its text and its tree; `fault` says why it can't be evaluated by itself.

    It may use what other files of its package have.
    """

    module: Module
    source: Source
    tree: Any
    fault: ParseFailure | None


def parse_modules(
    parser: EmbeddedEngine, files: Iterable[File], problems: list[Problem]
) -> list[Parsed]:
    """The modules in files; faults of those that are none, or can't be evaluated, are added."""
    found = [each for each in (_parse(parser, file, problems) for file in files) if each]
    packages: dict[Path, list[Parsed]] = defaultdict(list)
    for each in found:
        packages[each.module.package].append(each)
    for together in packages.values():
        problems += _analyse(parser, together)
    return found


def _parse(parser: EmbeddedEngine, file: File, problems: list[Problem]) -> Parsed | None:
    try:
        source = decode(file.path, file.data)
    except Fault as fault:
        problems.append(fault.problem)
        return None
    deep = check_nesting(source)
    if deep is not None:
        problems.append(deep)
        return None
    try:
        tree, fault_alone = parser.parse(file.path, source.text)
    except ParseFailure as failure:
        problems.append(_tell(source, failure))
        return None
    return Parsed(read_tree(file.path, source.text, tree), source, tree, fault_alone)


def _analyse(parser: EmbeddedEngine, together: Sequence[Parsed]) -> Iterator[Problem]:
    """Why the modules of one package can't be evaluated, at one place each time."""
    fault = together[0].fault
    if len(together) > 1:
        fault = parser.analyse([Text(each.module.path, each.source.text) for each in together])
    if isinstance(fault, Unscheduled):
        yield _tell_unscheduled(together, fault)
    elif fault is not None:
        named = (each for each in together if each.module.path == fault.path)
        yield _tell(next(named, together[0]).source, fault)


def _tell_unscheduled(together: Sequence[Parsed], fault: Unscheduled) -> Problem:
    for each in together:
        found = find_unbound(each.tree, each.source.text)
        if found is not None:
            name, place = found
            message = f"`{name}` is unsafe: nothing gives it a value"
            return each.source.problem(place.line, place.column, message, len(name))
    return _tell(together[0].source, fault)


def _tell(source: Source, failure: ParseFailure) -> Problem:
    if failure.line:
        return source.problem(failure.line, failure.column, failure.message)
    return source.problem_of_file(failure.message)
