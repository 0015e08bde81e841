from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from guardrails.toolchain.lint.pages import markdown, plain_text
from guardrails.toolchain.lint.registry import PARTS, all_rules, read_page

GENERATOR = Path(__file__).resolve().parents[3] / "docs" / "reference" / "generate_lint.py"

DOC = """One sentence
on two lines.

What it does
------------
Something.

Why it is bad
-------------
It is:

    # file: a.toml
    [lint]

    # file: b.yaml
    version: 1

    policy: b

Example
-------
    version: 1
    policy: p

Use instead
-----------
    version: 1
"""


def test_the_pages_of_lint_are_what_the_rules_say() -> None:
    spec = importlib.util.spec_from_file_location("generate_lint", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    written = {path.name: path.read_text("utf-8") for path in generator.FOLDER.glob("*.md")}
    assert written == generator.pages(), "run `python docs/reference/generate_lint.py`"


def test_a_docstring_is_read_into_a_sentence_and_its_parts() -> None:
    page = read_page("x", DOC)
    assert page.summary == "One sentence on two lines."
    assert tuple(page.parts) == PARTS
    assert page.parts["What it does"] == "Something."
    assert page.example("Example") == "version: 1\npolicy: p\n"


@pytest.mark.parametrize(
    "doc",
    [
        "",
        "One.",
        DOC.replace("Example\n-------", "For example\n-----------"),
        DOC.partition("Use")[0],
    ],
    ids=["nothing", "a sentence", "another heading", "a part left out"],
)
def test_a_docstring_without_all_parts_is_refused(doc: str) -> None:
    message = (
        "the docstring of lint rule `x` must have a sentence and What it does, Why it is bad, "
    )
    with pytest.raises(ValueError, match=message):
        read_page("x", doc)


def test_markdown_fences_each_file_of_an_example_by_its_language() -> None:
    rule = next(iter(all_rules().values()))
    page = read_page("x", DOC)
    text = markdown(type(rule)("x", rule.severity, page, rule.check))
    first = "```toml\n# a.toml\n[lint]\n```"
    second = "```yaml\n# b.yaml\nversion: 1\n\npolicy: b\n```"
    assert f"It is:\n\n{first}\n\n{second}\n\n## Example" in text
    assert text.endswith("## Use instead\n\n```yaml\nversion: 1\n```\n")


def test_plain_text_holds_the_whole_docstring_under_the_rules_name() -> None:
    rule = all_rules()["missing-owner"]
    text = plain_text(rule)
    assert text.startswith(
        "missing-owner (warning)\n\nSomebody answers for every policy.\n\nWhat it does\n"
    )
    assert text.endswith("tools: payments.transfer}\n")
