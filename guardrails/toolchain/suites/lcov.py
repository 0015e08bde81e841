"""Coverage as an LCOV tracefile, for the tools that read them (`man geninfo`, "FILES").

A rule is a function, called as often as it matched; a part of a condition is a block of two
branches, the first taken where it was true. Of Rego modules there are lines alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.suites.coverage import Coverage, RuleCoverage
    from guardrails.toolchain.suites.rego_lines import ModuleCoverage


def write_lcov(coverage: Coverage) -> str:
    """The text of the tracefile."""
    by_file: dict[str, list[RuleCoverage]] = defaultdict(list)
    for each in coverage.rules:
        by_file[each.rule.span.path].append(each)
    files = [line for path in by_file for line in _file(path, by_file[path])]
    files += [line for module in coverage.modules for line in _module(module)]
    return "".join(f"{line}\n" for line in files)


def _module(module: ModuleCoverage) -> Iterator[str]:
    """A Rego module, of which only lines are known."""
    yield "TN:"
    yield f"SF:{module.path}"
    yield from (f"DA:{line},{module.lines[line]}" for line in sorted(module.lines))
    yield f"LF:{len(module.lines)}"
    yield f"LH:{module.reached}"
    yield "end_of_record"


def _file(path: str, rules: list[RuleCoverage]) -> Iterator[str]:
    yield "TN:"
    yield f"SF:{path}"
    yield from (f"FN:{each.rule.span.line},{each.rule.name}" for each in rules)
    yield from (f"FNDA:{each.matched},{each.rule.name}" for each in rules)
    yield f"FNF:{len(rules)}"
    yield f"FNH:{sum(bool(each.matched) for each in rules)}"
    yield from _branches(rules)
    taken = [count for each in rules for count in each.branches]
    yield f"BRF:{len(taken)}"
    yield f"BRH:{sum(map(bool, taken))}"
    lines = _lines(rules)
    yield from (f"DA:{line},{lines[line]}" for line in sorted(lines))
    yield f"LF:{len(lines)}"
    yield f"LH:{sum(map(bool, lines.values()))}"
    yield "end_of_record"


def _branches(rules: list[RuleCoverage]) -> Iterator[str]:
    block = 0
    for rule in rules:
        for each in rule.branchings:
            reached = each.true or each.false
            for branch, count in enumerate((each.true, each.false)):
                yield f"BRDA:{each.span.line},{block},{branch},{count if reached else '-'}"
            block += 1
        for exemption, used in rule.exceptions:
            yield f"BRDA:{exemption.span.line},{block},0,{used or '-'}"
            block += 1


def _lines(rules: list[RuleCoverage]) -> dict[int, int]:
    """How often each line that holds anything was reached."""
    lines: dict[int, int] = {}
    for rule in rules:
        counts = [(rule.rule.span.line, rule.matched)]
        counts += [(each.span.line, each.true + each.false) for each in rule.branchings]
        counts += [(exemption.span.line, used) for exemption, used in rule.exceptions]
        for line, count in counts:
            lines[line] = max(lines.get(line, 0), count)
    return lines
