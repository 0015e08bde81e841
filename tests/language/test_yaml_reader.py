from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.errors import PolicyError
from guardrails.language.loader import load_texts
from guardrails.language.source import Source
from guardrails.language.yaml_composer import MAX_DEPTH
from guardrails.language.yaml_faults import describe
from guardrails.language.yaml_reader import MAX_BYTES, decode, read_yaml

if TYPE_CHECKING:
    from guardrails.language.yaml_tree import Tree

CORE = yaml.safe_load(Path(__file__).with_name("yaml_core.yaml").read_text(encoding="utf-8"))
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list, None: type(None)}


def read(text: str | bytes) -> Tree:
    data = text if isinstance(text, bytes) else text.encode()
    tree, problems = read_yaml(decode("p.yaml", data))
    assert problems == []
    assert tree is not None
    return tree


def faults(data: bytes) -> str:
    with pytest.raises(PolicyError) as caught:
        load_texts({"p.yaml": data})
    return str(caught.value)


def place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


@pytest.mark.parametrize(("text", "kind", "value"), CORE, ids=[str(case[0]) for case in CORE])
def test_plain_scalars_are_those_of_yaml_1_2(text: str, kind: str | None, value: Any) -> None:
    found = read(f"a:\n  {text}\n").data["a"]
    assert type(found) is TYPES[kind]
    assert found == value or str(found) == str(value)


def test_every_key_and_value_has_its_place() -> None:
    tree = read("a: 1\nb:\n  - {c: x, d: [y]}\n  - e: >-\n      f\n")
    data = tree.data
    assert data == {"a": 1, "b": [{"c": "x", "d": ["y"]}, {"e": "f"}]}
    assert place(tree.root) == (1, 1)
    assert place(tree.key(data, "b")) == (2, 1)
    assert place(tree.value(data, "b")) == (3, 3)
    assert place(tree.value(data["b"], 0)) == (3, 5)
    assert place(tree.key(data["b"][0], "d")) == (3, 12)
    assert place(tree.value(data["b"][0]["d"], 0)) == (3, 16)
    assert place(tree.value(data["b"][1], "e")) == (4, 8)


def test_a_byte_order_mark_moves_nothing() -> None:
    tree = read(b"\xef\xbb\xbfa: x")
    assert tree.data == {"a": "x"}
    assert place(tree.value(tree.data, "a")) == (1, 4)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_end_them(line_break: str) -> None:
    text = line_break.join(["version: 1", "policy: p", "owner: ü", "ownr: x", ""])
    assert faults(text.encode()) == (
        "p.yaml:4:1: unknown key `ownr`; did you mean `owner`?\n    ownr: x\n    ^^^^"
    )


def test_the_one_directive_of_this_version_of_yaml_is_allowed() -> None:
    assert read("%YAML 1.2\n---\na: no\n...\n").data == {"a": "no"}


def test_a_few_values_may_be_shared_by_aliases() -> None:
    tree = read("a: &a [x, &b y]\nc: *a\nd: {e: *b, f: [*a]}\n*b : 5\n")
    assert tree.data == {
        "a": ["x", "y"],
        "c": ["x", "y"],
        "d": {"e": "y", "f": [["x", "y"]]},
        "y": 5,
    }


def test_an_anchor_may_be_given_anew() -> None:
    assert read("a: [&a x, *a, &a y, *a]").data == {"a": ["x", "x", "y", "y"]}


def test_nesting_is_bounded_through_aliases_too() -> None:
    half = MAX_DEPTH // 2
    lines = [
        "a: &a " + "[" * half + "]" * half,
        "b: &b " + "[" * (half - 2) + "*a" + "]" * (half - 2),
    ]
    assert read("\n".join(lines)).data
    text = "\n".join(["version: 1", *lines, "c: [[*b]]"])
    assert faults(text.encode()) == (
        f"p.yaml:4:6: nested deeper than {MAX_DEPTH} levels\n    c: [[*b]]\n         ^^"
    )


@pytest.mark.slow
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "a:\n ", "[a, "])
def test_nesting_of_any_kind_ends_in_a_fault(opening: str) -> None:
    assert "p.yaml:" in faults((opening * 100_000).encode())


def test_a_file_is_bounded_in_size() -> None:
    assert faults(b"a" * (MAX_BYTES + 1)) == (
        "p.yaml: larger than 5,000,000 bytes; split it into several documents"
    )
    head = b"version: 1\npolicy: p\n"
    assert load_texts({"p.yaml": head + b"#" * (MAX_BYTES - len(head))}).rules == ()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"version: 1\npolicy: \xff", "p.yaml:2:9: byte 0xff is not UTF-8"),
        ("version: 1\r\nowner: ü".encode() + b"\xe4", "p.yaml:2:9: byte 0xe4 is not UTF-8"),
        (b"\xef\xbb\xbf\xc3", "p.yaml:1:1: byte 0xc3 is not UTF-8"),
        ("version: 1".encode("utf-16"), "p.yaml:1:1: byte 0xff is not UTF-8"),
        ("version: 1".encode("utf-16-be"), "p.yaml:1:1: a control character"),
    ],
)
def test_bytes_that_are_no_utf_8_are_told_with_their_place(data: bytes, told: str) -> None:
    assert faults(data).startswith(told)


def test_a_lone_surrogate_is_no_utf_8() -> None:
    with pytest.raises(PolicyError, match=r"p\.yaml:1:4: byte 0xed is not UTF-8"):
        load_texts({"p.yaml": "a: \ud800"})


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x1b", "\x7f", "\x84", "\x9f", "\uffff"])
def test_control_characters_are_refused(character: str) -> None:
    text = f"version: 1\n# {character}"
    assert faults(text.encode()).startswith("p.yaml:2:3: a control character; write it as")


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_line_breaks_that_editors_hide_are_refused(character: str) -> None:
    text = f"version: 1\n# {character}"
    assert faults(text.encode()).startswith("p.yaml:2:3: a line break that few editors show")


def test_an_error_of_libyaml_without_words_of_ours_is_told_in_its_own() -> None:
    error = yaml.MarkedYAMLError(
        problem="found a gremlin", problem_mark=yaml.Mark("", 0, 0, 0, "", 0)
    )
    assert describe(error, Source("p", "a")) == (1, 1, "not valid YAML: found a gremlin")
    error.context = "while scanning"
    assert describe(error, Source("p", "a"))[2] == "not valid YAML: while scanning: found a gremlin"


@pytest.mark.parametrize("text", ["a: !<x", "a: !e!b c", "a: !%zz b"])
def test_a_tag_that_is_none_is_told_as_a_tag(text: str) -> None:
    assert ": tags are not allowed" in faults(text.encode())


def test_an_integer_is_not_read_however_long_it_is() -> None:
    assert "is beyond 64 bits" in faults(b"a: " + b"9" * 100_000)
