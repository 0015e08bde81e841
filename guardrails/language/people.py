"""Who decides over what a rule escalates, and who reviews what it lets run at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import (
    DEFAULT_TIMEOUT_NS,
    PARTIES,
    Approval,
    Review,
    Stage,
    Voters,
)
from guardrails.language.expiry import parse_timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.errors import Problem
    from guardrails.language.draft import Part
    from guardrails.language.yaml_tree import Tree


def read_approval(tree: Tree, rule: Part, problems: list[Problem]) -> Approval | None:
    """The `approval` of a rule, None where it has none; faults are added to `problems`."""
    if "approval" not in rule:
        return None
    part = rule.part("approval")
    timeout = _read_duration(tree, part, "timeout", problems)
    once = part.get("remember", "none") == "none"
    stages = _read_stages(tree, part, timeout, problems)
    return Approval(
        groups=_read_groups(tree, part, problems),
        timeout_ns=timeout,
        stages=tuple(sorted(stages, key=lambda stage: stage.after_ns)),
        separate_from=tuple(_read_separate(tree, part, problems)),
        remember_ns=None if once else _read_duration(tree, part, "remember", problems),
        veto=part.get("veto", True),
    )


def read_review(tree: Tree, rule: Part, problems: list[Problem]) -> Review | None:
    """The `review` of a rule, None where it has none; faults are added to `problems`."""
    if "review" not in rule:
        return None
    part = rule.part("review")
    within = _read_duration(tree, part, "within", problems)
    return None if within is None else Review(part.names("from"), within)


def _read_groups(tree: Tree, part: Part, problems: list[Problem]) -> tuple[Voters, ...]:
    if type(part.get("from")) is not dict:
        return (Voters(part.names("from"), part.get("quorum", 1)),)
    if "quorum" in part:
        message = "`quorum` goes with a list in `from`; a map says how many of each"
        problems.append(tree.problem(tree.key(part.data, "quorum"), message))
    groups = part.part("from")
    return tuple(Voters((name,), groups.get(name, 1)) for name in groups.data)


def _read_stages(
    tree: Tree, part: Part, timeout: int | None, problems: list[Problem]
) -> Iterator[Stage]:
    end = timeout if "timeout" in part else DEFAULT_TIMEOUT_NS
    for _, stage in part.parts("then"):
        after = _read_duration(tree, stage, "after", problems)
        if after is None:
            continue
        if end is not None and after >= end:
            shown = quote(stage.data["after"])
            unsaid = "" if "timeout" in part else ", which is `30m` if left out"
            message = f"{shown} is not less than the `timeout`{unsaid}, so nobody would be asked"
            problems.append(tree.problem(tree.value(stage.data, "after"), message))
        yield Stage(after, stage.names("from"))


def _read_separate(tree: Tree, part: Part, problems: list[Problem]) -> Iterator[str]:
    """The names under `separate_from`; one that is nearly a word of the format is a fault."""
    for index, name in part.texts("separate_from"):
        hint = "" if name in PARTIES else did_you_mean(name, PARTIES)
        if hint:
            event = tree.value(part.data["separate_from"], index)
            problems.append(tree.problem(event, f"unknown party {quote(name)}{hint}"))
        yield name


def _read_duration(tree: Tree, part: Part, key: str, problems: list[Problem]) -> int | None:
    """The nanoseconds that `key` stands for; None where it is absent or stands for none."""
    if key not in part:
        return None
    try:
        return parse_timeout(part.data[key])
    except ValueError as error:
        message = f"{quote(part.data[key])} is {error}"
        problems.append(tree.problem(tree.value(part.data, key), message))
        return None
