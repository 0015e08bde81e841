"""What holds for whatever is loaded."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import PolicyError, Problem
from guardrails.language.loader import load_texts

if TYPE_CHECKING:
    from random import Random

    from guardrails.language.document import Bundle

FAULTS = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))
CORPUS = [text for case in FAULTS for text in (case.get("files") or {"": case["text"]}).values()]
LIMIT = 2.0
"""Seconds that a small file may take to load, whatever it holds; a hundred times what it does."""


def load_anything(data: bytes) -> Bundle | None:
    started = perf_counter()
    problems: tuple[Problem, ...] | None = None
    try:
        bundle = load_texts({"p.yaml": data})
    except PolicyError as error:
        bundle, problems = None, error.problems
    assert perf_counter() - started < LIMIT
    assert problems != ()
    for problem in problems or ():
        assert problem.message.replace("\u00a0", "").isprintable()
        assert len(str(problem).splitlines()) in (1, 3)
    return bundle


@given(st.binary(max_size=200))
def test_any_bytes_are_loaded_or_refused(data: bytes) -> None:
    load_anything(data)


yaml_text = st.text(
    st.sampled_from("abz09 \n\n\t:-?[]{},&*!|>'\"%@`#~.\\/<=\u00e9\u2028\ufeff\x00"), max_size=80
)


@given(yaml_text)
def test_any_text_that_looks_like_yaml_is_loaded_or_refused(text: str) -> None:
    load_anything(text.encode())


@settings(max_examples=300)
@given(st.sampled_from(CORPUS), st.randoms(use_true_random=False))
def test_any_change_to_a_document_is_loaded_or_refused(text: str, random: Random) -> None:
    data = bytearray(text.encode())
    for _ in range(random.randrange(1, 6)):
        place = random.randrange(len(data) + 1)
        change = random.choice(
            [b"\n", b" ", b"  ", b"'", b'"', b"[", b"]", b"{", b"}", b": ", b"- ", b"*a", b"&a ",
             b"!", b"#", b"\xff", b"when: ", b"5", b"\t", b"> ", b"|", b"?", b"$ref: '#'", b"true"]
        )  # fmt: skip
        data[place : place + random.randrange(4)] = change
    load_anything(bytes(data))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(
        ["string", "number", "integer", "array", "object", "#", "#/$defs/a", "#/properties/a", "("]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(
            ["type", "items", "properties", "a", "$ref", "anyOf", "allOf", "not", "if", "enum",
             "const", "additionalProperties", "patternProperties", "prefixItems", "required",
             "pattern", "format", "minimum", "kind", "$defs", "dependentSchemas", "contains"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=10,
)  # fmt: skip


@given(values, values)
def test_any_schema_is_loaded_or_refused(schema: Any, definition: Any) -> None:
    tool = {"arguments": {"a": schema, "b": {"$ref": "#/$defs/a"}}, "$defs": {"a": definition}}
    document = {"version": 1, "policy": "p", "tools": {"t": tool}, "context": {"f": schema}}
    bundle = load_anything(yaml.safe_dump(document).encode())
    arguments = None if bundle is None else bundle.tools["t"].arguments
    if arguments is not None:
        for value in (None, 1, 1.5, "a", [1, "a"], {"a": {"a": 1}}):
            arguments.problem({"a": value})
            arguments.coerce({"a": value, "b": value})


RULES = [
    "{id: a, effect: deny, tools: pay, when: 'arguments.amount > constants.limit'}",
    "{id: b, effect: allow, tools: 'p*', when: 'context.e == \"x\"'}",
    "{id: c, effect: escalate, traits: [write], unless: 'arguments.amount < 5'}",
]
DOCUMENTS = {
    "a.yaml": "constants: {limit: 5}",
    "b.yaml": "context: {e: {type: string}}",
    "c.yaml": "tools: {pay: {traits: [write], arguments: {amount: {type: number}}}}",
}


def content(bundle: Bundle) -> tuple[Any, ...]:
    """What a bundle says, apart from where it says it."""
    rules = {
        rule.name: (
            rule.effect,
            rule.tools,
            rule.traits,
            rule.when and rule.when.checked,
            rule.unless and rule.unless.checked,  # type: ignore[union-attr]
        )
        for rule in bundle.rules
    }
    tools = {name: (tool.traits, tool.arguments) for name, tool in bundle.tools.items()}
    return rules, tools, bundle.constants, bundle.context


def test_the_order_of_rules_and_the_names_of_files_change_nothing() -> None:
    found = []
    for order in permutations(range(3)):
        names = list(DOCUMENTS)
        texts = {}
        for name, place in zip(names, order, strict=True):
            section = DOCUMENTS[names[place]]
            texts[name] = f"version: 1\npolicy: {names[place].removesuffix('.yaml')}\n{section}\n"
        rules = "".join(f"- {RULES[place]}\n" for place in order)
        texts[f"{order[0]}.yaml"] = f"version: 1\npolicy: rules\nrules:\n{rules}"
        found.append(content(load_texts(texts)))
    assert all(each == found[0] for each in found)


def test_the_order_in_which_texts_are_given_changes_nothing() -> None:
    texts = {"b.yaml": "version: 1\npolicy: b\n", "a.yaml": "version: 1\npolicy: a\n"}
    assert load_texts(texts) == load_texts(dict(reversed(texts.items())))
