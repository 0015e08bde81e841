"""What the rules of lint look at: the policies as loaded, and the text they were loaded from."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.display import escape
from guardrails.engine import PolicySet
from guardrails.language.declarations import Declarations
from guardrails.language.document import Condition, Document, Rule, Span, Tool
from guardrails.language.environments import Environments
from guardrails.language.loader import load_folder, without_collector
from guardrails.toolchain.lint.finding import Edit, Finding, Region
from guardrails.toolchain.lint.modules import is_module, region_in_module
from guardrails.toolchain.lint.scalars import write_in
from guardrails.toolchain.lint.settings import Settings
from guardrails.toolchain.lint.suppress import read_allowances
from guardrails.toolchain.lint.text import read_text
from guardrails.toolchain.regions import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Bundle
    from guardrails.language.folder import File, Folder
    from guardrails.toolchain.lint.finding import Fix, Severity
    from guardrails.toolchain.lint.text import PolicyText
    from guardrails.toolchain.tools.found import FoundTool

_ESCAPES = {"'": "'", '"': "\\"}
"""What stands before a quote that is part of a scalar in such quotes."""


class Clause(NamedTuple):
    """A condition and the rule it stands in; `key` is `when`, `unless` or `unless[0].when`."""

    rule: Rule
    key: str
    condition: Condition


class Project:
    """The policies to lint; what several rules ask of them is worked out once.

    `folder` are the files, `whole` all policies loaded from them, `bundle` those of YAML documents
    and `modules` those of Rego modules, `texts` the files by path,
    `tests` those that are tests, `now_ns` the time to judge expiry at, in nanoseconds since 1970,
    `allowances` the comments that except something from lint, `functions` the decorated functions
    of the program that the policies are for, None where they are not known.
    """

    def __init__(
        self,
        folder: Folder,
        root: str,
        now_ns: int,
        settings: Settings | None = None,
        functions: tuple[FoundTool, ...] | None = None,
    ) -> None:
        """Raise PolicyError where the policies don't load."""
        self.root = root
        self.folder = folder
        self.whole: Bundle = load_folder(folder, root)
        self.bundle: Bundle = _without_modules(self.whole)
        self.modules = tuple(each for each in self.whole.documents if is_module(each))
        self.now_ns = now_ns
        self.settings = settings or Settings()
        self.functions = functions
        with without_collector():
            texts = [read_text(file) for file in self._files()]
        self.texts: Mapping[str, PolicyText] = {text.path: text for text in texts if text}
        self.tests = tuple(
            self.texts[file.path] for file in folder.tests if file.path in self.texts
        )
        self.allowances = tuple(
            allowance for text in self.texts.values() for allowance in read_allowances(text)
        )
        self._environments = Environments(
            Declarations(dict(self.bundle.constants), dict(self.bundle.tools), self.bundle.context)
        )
        self._data = dict(self._find_data())
        self._documents = {each.policy: each for each in self.whole.documents}
        self._asking: PolicySet | None = None
        self._nodes: dict[int, tuple[Node, ...]] = {}
        self._clauses: tuple[Clause, ...] | None = None

    def _files(self) -> tuple[File, ...]:
        return (*self.folder.documents, *self.folder.modules, *self.folder.tests)

    def asking(self, tool: str) -> tuple[Rule, ...]:
        """The rules of Rego modules that concern a tool."""
        if self._asking is None:
            self._asking = PolicySet(dataclasses.replace(self.whole, documents=self.modules))
        return self._asking.concerning(tool)

    @property
    def module_rules(self) -> tuple[Rule, ...]:
        """The rules of Rego modules."""
        return tuple(rule for module in self.modules for rule in module.rules)

    def conditions(self) -> tuple[Clause, ...]:
        """Every condition of every rule."""
        if self._clauses is None:
            self._clauses = tuple(
                clause for rule in self.bundle.rules for clause in _clauses_of(rule)
            )
        return self._clauses

    def conditions_of(self, rule: Rule) -> tuple[Clause, ...]:
        """Every condition of `rule`."""
        return tuple(_clauses_of(rule))

    def walk(self, condition: Condition) -> tuple[Node, ...]:
        """Every node of a condition's typed tree, each before what stands under it."""
        known = self._nodes.get(id(condition))
        if known is None:
            known = self._nodes[id(condition)] = tuple(_walk(condition.checked.root))
        return known

    def tools_of(self, rule: Rule) -> tuple[Tool, ...]:
        """The declared tools that `rule` can match."""
        names = self._environments.concerned(rule.effect, rule.tools, rule.traits)
        tools = self.bundle.tools
        return tuple(tools[name] for name in names if name in tools)

    def names_of(self, rule: Rule) -> tuple[str, ...]:
        """The tools that `rule` can match, with those it names exactly and nobody declares."""
        return self._environments.concerned(rule.effect, rule.tools, rule.traits)

    @cached_property
    def reach(self) -> Reach:
        """What the rules can match, and what they can't."""
        return Reach(self.bundle, self.now_ns)

    def document_of(self, part: Rule | Tool) -> Document:
        """The document in which a rule or tool stands."""
        return self._documents[part.policy]

    def region(
        self, part: Document | Rule | Tool, *path: str | int, of_key: bool = False
    ) -> Region:
        """Where the value at `path` below a document, rule or tool stands, or its key.

        Without a path it is what names the part: a document's `policy`, a rule's `id`, a tool's
        key. A path may name an item of a list that is written as one value alone.
        """
        if is_module(part):
            assert not isinstance(part, Tool)
            file = part.span.path if isinstance(part, Rule) else part.path
            return region_in_module(self.texts[file], part, path)
        text, data = self._data[_key_of(part)]
        assert text.tree is not None
        if not path:
            if isinstance(part, Tool):
                return text.region_of(text.tree.key(text.tree.data["tools"], part.name))
            path = ("policy",) if isinstance(part, Document) else ("id",)
        found = data
        for step in path[:-1]:
            found = found[step]
        if type(found) not in (dict, list):
            return self.region(part, *path[:-1], of_key=of_key)
        event = text.tree.key(found, path[-1]) if of_key else text.tree.value(found, path[-1])
        return text.region_of(event)

    def region_at(self, span: Span, width: int) -> Region:
        """The stretch of so many characters from a place on, as far as its line goes."""
        text = self.texts[span.path]
        start = text.offset(span.line, span.column)
        behind = start + min(width, len(text.source.line(span.line)) - span.column + 1)
        return text.region(start, behind)

    def data(self, part: Document | Rule | Tool) -> dict[str, Any]:
        """The plain data that a document, rule or tool was read from."""
        data: dict[str, Any] = self._data[_key_of(part)][1]
        return data

    def at(self, condition: Condition, node: Node) -> Region:
        """Where a node of a condition stands."""
        return self.stretch(condition, node.start, node.end)

    def stretch(self, condition: Condition, start: int, end: int) -> Region:
        """Where the text of a condition from offset `start` to `end` stands."""
        text = self.texts[condition.span.path]
        first = condition.place(start)
        last = condition.place(max(end, start + 1) - 1)
        style = text.text[text.offset(condition.span.line, condition.span.column)]
        behind = text.offset(last.line, last.column + 1)
        if text.text[behind - 1] == _ESCAPES.get(style):
            behind += 1  # a quote within quotes takes two characters
        return text.region(text.offset(first.line, first.column), behind)

    def rewrite(self, condition: Condition, start: int, end: int, new: str) -> Fix:
        """The fix that puts `new` for the text of a condition from offset `start` to `end`.

        None at all where YAML would read the result as anything else.
        """
        region = self.stretch(condition, start, end) if end > start else None
        if region is None:
            place = condition.place(start)
            text = self.texts[place.path]
            offset = text.offset(place.line, place.column)
            region = text.region(offset, offset)
        return write_in(self.texts[region.path], condition, (start, end), region, new)

    def finding(
        self,
        region: Region,
        message: str,
        *,
        why: str,
        mend: str,
        fix: Fix = (),
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at `region`; whatever is unsafe to show in its words is escaped."""
        text = self.texts.get(region.path)
        return Finding(
            region=region,
            message=escape(message),
            why=escape(why),
            mend=escape(mend),
            excerpt=text.excerpt(region) if text else "",
            fix=fix,
            severity=severity,
        )

    def _find_data(self) -> Iterator[tuple[tuple[str, str, str], tuple[PolicyText, Any]]]:
        for document in self.bundle.documents:
            text = self.texts[document.path]
            assert text.tree is not None
            data = text.tree.data
            yield _key_of(document), (text, data)
            for tool in document.tools:
                yield _key_of(tool), (text, data["tools"][tool.name])
            for rule, rule_data in zip(document.rules, data.get("rules", ()), strict=True):
                yield _key_of(rule), (text, rule_data)


def _without_modules(bundle: Bundle) -> Bundle:
    """A bundle less its Rego modules: what their rules ask for can't be told from here."""
    documents = (each for each in bundle.documents if not is_module(each))
    return dataclasses.replace(bundle, documents=tuple(documents))


def replace(region: Region, text: str) -> Fix:
    """The fix that puts `text` for what stands at `region`."""
    return (Edit(region.path, region.start, region.end, text),)


def _key_of(part: Document | Rule | Tool) -> tuple[str, str, str]:
    if isinstance(part, Document):
        return ("document", part.policy, "")
    return ("rule", part.policy, part.id) if isinstance(part, Rule) else ("tool", "", part.name)


def _clauses_of(rule: Rule) -> Iterator[Clause]:
    if rule.when is not None:
        yield Clause(rule, "when", rule.when)
    if isinstance(rule.unless, Condition):
        yield Clause(rule, "unless", rule.unless)
    for index, exemption in enumerate(rule.unless if type(rule.unless) is tuple else ()):
        if exemption.when is not None:
            yield Clause(rule, f"unless[{index}].when", exemption.when)
    if rule.budget is not None:
        for condition in rule.budget.conditions:
            yield Clause(rule, "budget", condition)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children():
        yield from _walk(child)
