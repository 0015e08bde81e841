"""The documents below `data`: files named `data.json`, `data.yaml` or `data.yml`, and constants.

As in OPA's bundles a file's folder is its path: `limits/data.json` is `data.limits`.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from guardrails.action_json import parse_json
from guardrails.errors import InvalidActionError
from guardrails.language.rego.seam import Text
from guardrails.language.source import Source
from guardrails.language.yaml_reader import decode, read_yaml
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.errors import Problem
    from guardrails.language.folder import File
    from guardrails.language.rego.syntax import Path

CONSTANTS = "constants"
"""Where the constants of all policy documents stand below `data`."""


def read_data(
    files: Iterable[File], constants: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """The documents below `data`; faults, and two files that say the same, join `problems`."""
    data: dict[str, Any] = {}
    for file in files:
        found = _read(file, problems)
        if type(found) is dict:
            for step in reversed(PurePosixPath(file.name).parts[:-1]):
                found = {step: found}
            clash = _merge(data, found)
            if clash:
                problems.append(_problem(file, f"`data.{clash}` is given by another file too"))
        elif found is not None:
            problems.append(_problem(file, "what stands below `data` is a map of names to values"))
    if CONSTANTS in data:
        message = "`data.constants` are those of the policy documents"
        named = [file for file in files if file.name.startswith(("data.", f"{CONSTANTS}/"))]
        problems += [_problem(file, message) for file in named]
    if constants:
        data[CONSTANTS] = dict(constants)
    return data


def write_data(data: Mapping[str, Any]) -> Text:
    """The documents as JSON text; its path is the digest.

    Raises ValueError for a number that JSON doesn't have.
    """
    text = json.dumps(data, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return Text(sha256(text.encode()).hexdigest()[:32], text)


def find(data: Mapping[str, Any], path: Path) -> Any:
    """What stands at a path, or at as much of it as there is; None where nothing is."""
    found: Any = data
    for step in path:
        if type(found) is not dict:
            break
        found = found.get(step)
    return found


def overlaps(data: Mapping[str, Any], package: Path) -> bool:
    """Whether a document stands where a package has its rules."""
    found: Any = data
    for step in package:
        if type(found) is not dict or step not in found:
            return False
        found = found[step]
    return True


def _read(file: File, problems: list[Problem]) -> Any:
    if file.name.lower().endswith(".json"):
        try:
            return parse_json(file.data)
        except InvalidActionError as error:
            problems.append(_problem(file, str(error)))
            return None
    try:
        tree, found = read_yaml(decode(file.path, file.data))
    except Fault as fault:
        problems.append(fault.problem)
        return None
    problems += found
    if tree is not None and type(tree.data) is dict and "policy" in tree.data:
        message = "a policy in a file named as data would never be in force; rename the file"
        problems.append(tree.problem(tree.key(tree.data, "policy"), message))
    return None if tree is None else tree.data


def _merge(into: dict[str, Any], given: dict[str, Any], at: str = "") -> str:
    """Merge maps; returns the path of what both have, "" where there is none."""
    for key, value in given.items():
        path = f"{at}{key}"
        if key not in into:
            into[key] = value
        elif type(into[key]) is dict and type(value) is dict:
            clash = _merge(into[key], value, f"{path}.")
            if clash:
                return clash
        else:
            return path
    return ""


def _problem(file: File, message: str) -> Problem:
    return Source(file.path, "").problem_of_file(message)
