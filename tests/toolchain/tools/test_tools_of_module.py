"""What is found of decorated tools, what policies say of them, and the manifest written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from guardrails.cli import main
from guardrails.errors import PolicyError
from guardrails.language.loader import load_texts
from guardrails.testing import policies_over
from guardrails.toolchain.tools.coverage import cover
from guardrails.toolchain.tools.found import FoundTool, ModuleNotImported, find_tools
from guardrails.toolchain.tools.manifest import (
    ManifestRefused,
    extend_manifest,
    guess_traits,
    write_manifest,
)

SHOP = Path(__file__).with_name("shop_tools.py")


@pytest.fixture(scope="module")
def found() -> dict[str, FoundTool]:
    return {tool.name: tool for tool in find_tools(str(SHOP))}


def schemas(tool: FoundTool) -> dict[str, Any]:
    return {each.name: each.schema for each in tool.parameters}


def test_functions_methods_and_their_names_are_found(found: dict[str, FoundTool]) -> None:
    assert list(found) == [
        "files.read",
        "mail.count",
        "mail.delete_all",
        "mail.send",
        "odd",
        "transfer",
    ]
    assert found["transfer"].description == "Pay a supplier."
    assert found["transfer"].path == str(SHOP)
    assert SHOP.read_text().splitlines()[found["transfer"].line - 1] == "@guardrails.tool"


def test_arguments_are_those_that_are_judged(found: dict[str, FoundTool]) -> None:
    assert schemas(found["transfer"]) == {
        "to": {"type": "string"},
        "amount": {"type": "number"},
        "note": {"type": ["string", "null"]},
    }
    assert [each.required for each in found["transfer"].parameters] == [True, True, False]
    assert schemas(found["mail.send"]) == {
        "to": {"type": "array", "items": {"type": "string"}},
        "size": {"enum": ["s", "l"]},
        "more": {"type": "array", "items": {"type": "integer"}},
        "kind": {"enum": ["a", "b"]},
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    }
    assert [each.name for each in found["mail.send"].parameters if each.required] == ["to", "size"]
    assert found["mail.delete_all"].parameters == ()
    assert found["mail.delete_all"].open
    assert schemas(found["files.read"]) == {
        "path": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "integer"}},
        "names": {"type": "array", "items": {"type": "string"}},
        "extra": {"type": "object"},
    }


def test_an_annotation_that_cannot_be_resolved_says_nothing(found: dict[str, FoundTool]) -> None:
    assert schemas(found["odd"]) == {"thing": {}, "other": {}, "either": {}}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("raise SystemExit", "it ends the interpreter"),
        ("def f(:", "invalid syntax"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(code: str, reason: str, tmp_path: Path) -> None:
    name = f"broken_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(code)
    with pytest.raises(ModuleNotImported, match="can't be imported") as caught:
        find_tools(str(tmp_path / f"{name}.py"))
    assert reason in str(caught.value)


def test_what_policies_say_of_each_tool(found: dict[str, FoundTool]) -> None:
    policies = policies_over("""
        version: 1
        policy: p
        tools: {transfer: {traits: [spend]}, odd: {traits: [read]}}
        rules:
          - {id: a, effect: allow, tools: transfer}
          - {id: d, effect: deny, tools: "*"}
    """)
    said = {each.tool.name: each for each in cover(found.values(), policies)}
    assert [name for name, each in said.items() if each.declared] == ["odd", "transfer"]
    assert [name for name, each in said.items() if each.reachable] == ["transfer"]
    assert [name for name, _ in said["transfer"].rules] == ["p/a", "p/d"]
    assert [name for name, _ in said["mail.send"].rules] == ["p/d"]


def test_a_written_manifest_loads_and_leaves_traits_to_people(found: dict[str, FoundTool]) -> None:
    text = write_manifest("tools", found.values())
    bundle = load_texts({"tools.yaml": text})
    assert sorted(bundle.tools) == sorted(found)
    assert all(tool.traits is None for tool in bundle.tools.values())
    assert "# traits: [spend]  # guessed from the name: confirm or mend" in text
    assert bundle.tools["mail.delete_all"].arguments is None
    schema = bundle.tools["transfer"].arguments
    assert schema is not None
    assert schema.problem({"to": "ACME", "amount": 5}) is None
    assert schema.problem({"to": "ACME"}) is not None


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        ("sendMail", ("communicate",)),
        ("db.drop_table", ("destructive",)),
        ("IAM.grant-role", ("privileged",)),
        ("compute", ()),
        ("http.post", ("external", "communicate")),
    ],
)
def test_traits_are_guessed_by_whole_words(name: str, traits: tuple[str, ...]) -> None:
    assert guess_traits(name) == traits


def test_a_document_is_extended_where_its_tools_end(found: dict[str, FoundTool]) -> None:
    text = (
        "version: 1\npolicy: p\ntools:\n    transfer: {traits: [spend]}  # kept\n\n"
        "# the rules\nrules:\n  - {id: a, effect: allow, tools: transfer}"
    )
    extended = extend_manifest("p.yaml", text, [found["mail.count"]])
    assert extended == (
        "version: 1\npolicy: p\ntools:\n    transfer: {traits: [spend]}  # kept\n\n"
        '    mail.count:\n      description: ""  # say what it does\n'
        "      # traits: [communicate]  # guessed from the name: confirm or mend\n"
        "      arguments: {}\n\n"
        "# the rules\nrules:\n  - {id: a, effect: allow, tools: transfer}\n"
    )
    assert set(load_texts({"p.yaml": extended}).tools) == {"transfer", "mail.count"}


def test_a_document_without_tools_gets_them_at_its_end(found: dict[str, FoundTool]) -> None:
    text = "version: 1\npolicy: p\nrules:\n  - {id: a, effect: allow, tools: transfer}\n"
    extended = extend_manifest("p.yaml", text, [found["transfer"]])
    assert set(load_texts({"p.yaml": extended}).tools) == {"transfer"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\npolicy: p\ntools: {a: {}}\n", "p.yaml: `tools` is written in braces"),
        ("version: 1\npolicy: p\ntools: {}\n", "p.yaml: `tools` is empty here"),
    ],
)
def test_what_cannot_be_extended_says_what_to_change(
    text: str, message: str, found: dict[str, FoundTool]
) -> None:
    with pytest.raises(ManifestRefused, match=message):
        extend_manifest("p.yaml", text, [found["transfer"]])


@pytest.mark.parametrize("text", ["", "a: [", "- a\n", "a: 1\na: 2\n"])
def test_what_is_no_document_is_not_extended(text: str, found: dict[str, FoundTool]) -> None:
    with pytest.raises(PolicyError):
        extend_manifest("p.yaml", text, [found["transfer"]])


def test_the_verb_lists_declares_and_exits_as_documented(tmp_path: Path) -> None:
    runner = CliRunner()
    folder, manifest = tmp_path / "policies", tmp_path / "policies" / "shop.yaml"
    listed = runner.invoke(main, ["tools", str(SHOP), "-p", str(folder), "--format", "json"])
    assert listed.exit_code == 1
    assert {each["tool"]: each["declared"] for each in json.loads(listed.stdout)} == dict.fromkeys(
        ["files.read", "mail.count", "mail.delete_all", "mail.send", "odd", "transfer"], False
    )
    written = runner.invoke(
        main, ["tools", str(SHOP), "-p", str(folder), "--manifest", str(manifest)]
    )
    assert written.exit_code == 1
    assert "6 declared; confirm their traits" in written.stderr
    assert "every call is refused" in written.stdout
    rules = "\nrules:\n  - {id: all, effect: allow, tools: '*'}\n"
    manifest.write_text(manifest.read_text() + rules)
    again = runner.invoke(
        main, ["tools", str(SHOP), "-p", str(folder), "--manifest", str(manifest)]
    )
    assert again.exit_code == 0, again.output
    assert "nothing to add; every tool is declared" in again.stderr
    assert runner.invoke(main, ["tools", "json", "-p", str(folder)]).exit_code == 2
