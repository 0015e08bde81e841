"""The tools that documents declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.arguments import ArgumentsSchema, read_arguments
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import Tool

if TYPE_CHECKING:
    from guardrails.errors import Problem
    from guardrails.language.yaml_tree import Tree


def read_tool(
    tree: Tree, tools: dict[str, Any], name: str, policy: str, problems: list[Problem]
) -> Tool:
    """The tool that the manifest `tools` of a document declares as `name`; adds to `problems`."""
    data = tools[name]
    return Tool(
        name=name,
        policy=policy,
        description=data.get("description", ""),
        traits=tuple(data["traits"]) if data.get("traits") else None,
        arguments=_read_arguments(tree, name, data, problems),
        returns=tuple(data.get("returns", ())),
        mask=tuple(data.get("mask", ())),
        span=tree.span(tree.key(tools, name)),
        places=tree.places(data),
    )


def _read_arguments(
    tree: Tree, name: str, data: dict[str, Any], problems: list[Problem]
) -> ArgumentsSchema | None:
    if "arguments" not in data:
        for key in ("required", "$defs"):
            if key in data:
                message = f"`{key}` says something of arguments, and there are no `arguments`"
                problems.append(tree.problem(tree.key(data, key), message))
        return None
    arguments = data["arguments"]
    schema, faults = read_arguments(
        name, arguments, data.get("required", []), data.get("$defs", {})
    )
    for fault in faults:
        event = tree.event_at(data, fault.path, of_key=fault.of_key)
        problems.append(tree.problem(event, fault.message))
    for index, masked in enumerate(data.get("mask", ())):
        if masked not in arguments:
            message = f"unknown argument {quote(masked)}{did_you_mean(masked, arguments)}"
            problems.append(tree.problem(tree.value(data["mask"], index), message))
    return schema
