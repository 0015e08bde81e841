"""The packs that ship, and the files with which a folder of policies is started from them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.errors import GuardrailsError
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.yaml_reader import decode, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from guardrails.toolchain.tools.found import FoundTool

PACKS = (
    "baseline",
    "destructive-ops",
    "credentials-privilege",
    "data-flow",
    "code-supply-chain",
    "containment",
    "oversight-integrity",
    "incremental-drift",
    "outreach-payments",
    "multi-agent",
    "memory",
    "human-approval",
)
"""The packs in the order of the catalogue of threats (docs/reference/threats.md)."""

ALL = "all"
"""The name that stands for every pack."""

START = {
    "agents.yaml": """\
# What your agents may do: declare each tool, say what it can touch, allow what is needed.
# What no rule allows is denied. The packs beside this file only restrict further.
version: 1
policy: agents
description: What our agents may do.
owner: you@example.com   # who answers for this file

tools:
  example.look-up:       # put your own tools in its place
    description: Look something up.
    # read write destructive external communicate spend exec privileged spawn persist oversight
    traits: [read]
    arguments:
      text: {type: string}
    required: [text]

rules:
  - id: look
    effect: allow
    tools: example.look-up
    description: Looking things up needs nobody.
""",
    "agents_test.yaml": """\
version: 1
tests: agents
policies: [agents]

cases:
  - name: things are looked up
    action: {tool: example.look-up, arguments: {text: opening hours}}
    expect: allow
    rules: [agents/look]

  - name: what nobody declared is refused
    action: {tool: example.wipe}
    code: undeclared
""",
}
"""The document that everybody starts with, and its tests."""


class StartRefused(GuardrailsError):  # noqa: N818 - it says what did not happen
    """A folder that can't be started as asked; nothing has been written."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack: its name, what it is for in a sentence or two, and its files by name."""

    name: str
    description: str
    files: Mapping[str, bytes]

    def as_json(self) -> dict[str, Any]:
        """The pack as the command line prints it."""
        return {"pack": self.name, "description": self.description}


def read_packs(names: Iterable[str] = PACKS) -> tuple[Pack, ...]:
    """The packs of those names, `all` for every one, in the order of the catalogue.

    Raises StartRefused for a name that is none.
    """
    wanted = set(names)
    for name in sorted(wanted.difference(PACKS, [ALL])):
        hint = did_you_mean(name, PACKS) or "; see `guardrails init --list`"
        msg = f"unknown pack {quote(name)}{hint}"
        raise StartRefused(msg)
    return tuple(map(_read_pack, PACKS if ALL in wanted else filter(wanted.__contains__, PACKS)))


def _read_pack(name: str) -> Pack:
    found = {
        each.name: each.read_bytes()
        for each in sorted(files("guardrails").joinpath("packs", name).iterdir(), key=str)
        if each.is_file() and not each.name.startswith(".")
    }
    tree, _ = read_yaml(decode(f"{name}.yaml", found[f"{name}.yaml"]))
    assert tree is not None
    return Pack(name, tree.data["description"], found)


def plan_start(
    packs: Iterable[Pack], tools: Sequence[FoundTool] = (), *, begun: bool = False
) -> dict[str, bytes]:
    """The files to write by their path in the folder of policies.

    Each pack gets a folder of its own; `tools` are declared in a manifest, their traits left as
    comments for people to confirm. A folder that is `begun` has a document of its own already.
    """
    planned = {} if begun else {name: text.encode() for name, text in START.items()}
    if tools:
        from guardrails.toolchain.tools.manifest import write_manifest  # noqa: PLC0415 - if asked

        planned["tools.yaml"] = write_manifest("tools", tools).encode()
    for pack in packs:
        planned |= {f"{pack.name}/{name}": data for name, data in pack.files.items()}
    return planned


def is_begun(folder: Path) -> bool:
    """Whether there is anything in `folder` already."""
    return folder.is_dir() and any(folder.iterdir())


def write_start(folder: Path, planned: Mapping[str, bytes]) -> None:
    """Write the files of a new folder; raises StartRefused if one of them is there already."""
    taken = [folder / name for name in planned if (folder / name).exists()]
    if taken:
        more = f", and {len(taken) - 1} more" if len(taken) > 1 else ""
        msg = f"{taken[0]}: it is there already{more}; nothing was written: name another folder"
        raise StartRefused(msg)
    for name, data in planned.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
