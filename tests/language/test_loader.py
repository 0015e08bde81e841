"""Folders, files, revisions: what is loaded, and what is told where it can't be."""

from __future__ import annotations

import gc
import hashlib
import os
import sys
from pathlib import Path

import pytest

from guardrails.decision import Effect
from guardrails.errors import PolicyError
from guardrails.language.document import Approval, Condition, Review, Span, Stage, Subjects, Voters
from guardrails.language.expiry import parse_expiry
from guardrails.language.loader import load, load_texts

HOUR = 3600 * 10**9

ONE = "version: 1\npolicy: one\nrules: [{id: a, effect: allow, tools: x}]\n"
TWO = "version: 1\npolicy: two\nrules: [{id: a, effect: deny, tools: x}]\n"
BROKEN = "version: 1\npolicy: [\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def problems_of(path: Path | str) -> str:
    with pytest.raises(PolicyError) as caught:
        load(path)
    return str(caught.value)


def test_a_folder_is_searched_to_the_bottom(tmp_path: Path) -> None:
    write(
        tmp_path, {"one.yaml": ONE, "a/b/c/two.yml": TWO, "a/b/UP.YAML": ONE.replace("one", "up")}
    )
    bundle = load(tmp_path)
    assert [document.path for document in bundle.documents] == [
        f"{tmp_path}/a/b/UP.YAML",
        f"{tmp_path}/a/b/c/two.yml",
        f"{tmp_path}/one.yaml",
    ]
    assert [rule.name for rule in bundle.rules] == ["up/a", "two/a", "one/a"]


def test_a_single_file_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, {"one.yaml": ONE})
    assert [rule.name for rule in load(tmp_path / "one.yaml").rules] == ["one/a"]
    assert load(str(tmp_path / "one.yaml")).revision == load(tmp_path).revision


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, {"one.yaml": ONE, ".two.yaml": BROKEN, ".git/x.yaml": BROKEN})
    bundle = load(tmp_path)
    assert len(bundle.documents) == 1
    assert bundle.unrecognised == ()


def test_a_hidden_folder_may_be_named_itself(tmp_path: Path) -> None:
    write(tmp_path, {".policies/one.yaml": ONE})
    assert len(load(tmp_path / ".policies").documents) == 1


def test_tests_are_set_aside_and_other_kinds_are_listed(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "one.yaml": ONE,
            "one_test.yaml": "version: 1\ntests: one\n",
            "one_test.rego": "package x",
            "deny.yaml.bak": BROKEN,
            "README": "",
            "list_test.yaml": "[policy]",
        },
    )
    bundle = load(tmp_path)
    assert [Path(path).name for path in bundle.tests] == [
        "list_test.yaml",
        "one_test.rego",
        "one_test.yaml",
    ]
    assert [Path(path).name for path in bundle.unrecognised] == ["README", "deny.yaml.bak"]


def test_links_are_followed_and_cycles_cut(tmp_path: Path) -> None:
    policies = write(
        tmp_path / "policies", {"one.yaml": ONE, "sub/three.yaml": ONE.replace("one", "three")}
    )
    write(tmp_path / "elsewhere", {"two.yaml": TWO})
    (policies / "link.yaml").symlink_to(tmp_path / "elsewhere" / "two.yaml")
    (policies / "sub" / "up").symlink_to(policies)
    (policies / "sub2").symlink_to(policies / "sub")
    (policies / "far").symlink_to(tmp_path / "far")
    write(tmp_path / "far", {"four.yaml": ONE.replace("one", "four")})
    assert sorted(document.policy for document in load(policies).documents) == [
        "four",
        "one",
        "three",
        "two",
    ]


def test_many_links_to_a_folder_do_not_multiply_it(tmp_path: Path) -> None:
    folder = write(tmp_path, {"one.yaml": ONE})
    for _ in range(30):
        inner = folder / "next"
        inner.mkdir()
        for name in "abcd":
            (folder / name).symlink_to(inner)
        folder = inner
    assert len(load(tmp_path).documents) == 1


def test_a_broken_link_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, {"one.yaml": ONE})
    (tmp_path / "two.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes").symlink_to(tmp_path / "nowhere")
    told = "can't be read: no such file or directory"  # the other may have led to a folder
    assert problems_of(tmp_path) == f"{tmp_path}/notes: {told}\n{tmp_path}/two.yaml: {told}"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "one.yaml")
    assert problems_of(tmp_path) == (
        f"{tmp_path}/one.yaml: not a regular file, so it can't be read as a policy"
    )


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs user ids")
def test_what_can_not_be_read_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, {"one.yaml": ONE, "two.yaml": TWO, "sub/three.yaml": TWO})
    for each in (tmp_path, *tmp_path.parents[:-2]):
        each.chmod(0o755)
    (tmp_path / "two.yaml").chmod(0)
    (tmp_path / "sub").chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        told = problems_of(tmp_path)
    finally:
        os.seteuid(before)
        (tmp_path / "sub").chmod(0o755)
    assert told == (
        f"{tmp_path}/sub: can't be read: permission denied\n"
        f"{tmp_path}/two.yaml: can't be read: permission denied"
    )


def test_a_folder_with_nothing_to_load_is_a_problem(tmp_path: Path) -> None:
    nothing = "there is no policy document (`*.yaml`, `*.yml`, `*.rego`) here"
    assert problems_of(tmp_path) == f"{tmp_path}: {nothing}"
    write(tmp_path, {"one_test.yaml": "tests: one", "one.yaml.bak": ONE, ".hidden.yaml": ONE})
    assert problems_of(tmp_path) == f"{tmp_path}: {nothing}"
    assert problems_of(tmp_path / "one.yaml.bak") == f"{tmp_path}/one.yaml.bak: {nothing}"
    with pytest.raises(PolicyError, match="there is no policy document"):
        load_texts({})


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    told = "can't be read: no such file or directory"
    assert problems_of(tmp_path / "nowhere") == f"{tmp_path}/nowhere: {told}"
    assert problems_of("po\0licies") == r"po\x00licies: can't be read: no path holds a zero byte"


def test_a_relative_folder_is_shown_as_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"policies/one.yaml": "version: 2\npolicy: p\n"})
    monkeypatch.chdir(tmp_path)
    assert problems_of("policies/").startswith("policies/one.yaml:1:10: unknown version `2`")
    monkeypatch.chdir(tmp_path / "policies")
    assert problems_of(".").startswith("one.yaml:1:10: unknown version `2`")


def test_a_name_that_would_hide_itself_is_shown_escaped(tmp_path: Path) -> None:
    write(tmp_path, {"a\u202eb\n.yaml": BROKEN})
    assert problems_of(tmp_path).startswith(rf"{tmp_path}/a\u202eb\n.yaml:3:1: ")


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are UTF-8 there")
def test_a_name_that_is_no_text_is_loaded_too(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.yaml"
    Path(os.fsdecode(name)).write_text(ONE, encoding="utf-8")
    assert len(load(tmp_path).documents) == 1


def test_a_policy_in_a_test_file_is_told_among_all_other_problems(tmp_path: Path) -> None:
    write(tmp_path, {"one.yaml": BROKEN, "a_test.yaml": ONE, "b.rego": "", "c.yaml": ""})
    misplaced = "a policy in a file named as a test would never be in force; rename the file"
    lines = problems_of(tmp_path).splitlines()
    assert [line for line in lines if line.startswith(str(tmp_path))] == [
        f"{tmp_path}/a_test.yaml:2:1: {misplaced}",
        f"{tmp_path}/b.rego:1:1: the module has no `package`",
        f"{tmp_path}/c.yaml: the file is empty",
        f"{tmp_path}/one.yaml:3:1: the file ends too soon: expected a value",
    ]


def test_the_revision_is_the_digest_of_names_and_contents() -> None:
    def framed(part: bytes) -> bytes:
        return len(part).to_bytes(8, "big") + part

    parts = [b"a/one.yaml", ONE.encode(), b"two.yaml", TWO.encode()]
    digest = hashlib.sha256(b"".join(map(framed, parts))).hexdigest()
    bundle = load_texts({"two.yaml": TWO, "a/one.yaml": ONE.encode()})
    assert bundle.revision == f"sha256:{digest}"


def test_the_revision_is_that_of_what_was_loaded_alone(tmp_path: Path) -> None:
    before = load(write(tmp_path / "a", {"one.yaml": ONE})).revision
    more = {"one.yaml": ONE, "README": "x", "one_test.yaml": "tests: x", ".hidden.yaml": TWO}
    assert load(write(tmp_path / "b", more)).revision == before
    assert load(write(tmp_path / "c", {"two.yaml": ONE})).revision != before
    assert load(write(tmp_path / "d", {"one.yaml": ONE + "\n"})).revision != before


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    load_texts({"p.yaml": ONE})
    assert gc.isenabled()
    with pytest.raises(PolicyError):
        load_texts({"p.yaml": BROKEN})
    assert gc.isenabled()
    gc.disable()
    try:
        load_texts({"p.yaml": ONE})
        assert not gc.isenabled()
    finally:
        gc.enable()


WHOLE = """\
version: 1
policy: payments
description: Money.
owner: finance@example.com
controls: [C-1, C-2]
constants: {limit: 500}
context:
  environment: {enum: [dev, prod]}
tools:
  pay:
    description: Pay a supplier.
    traits: [write, spend]
    arguments:
      amount: {type: number, kind: amount}
      to: {type: string}
    required: [amount]
    returns: [confidential]
    mask: [to]
  read: {traits: []}
rules:
  - id: large
    effect: escalate
    tools: [pay, "other.*"]
    traits: [spend]
    subjects: {ids: ["agent-*"], roles: [billing]}
    when: arguments.amount > constants.limit
    unless:
      - {subjects: {ids: [agent-9]}, expires: 2027-01-08, reason: FIN-131}
      - {when: 'context.environment == "dev"', expires: "2027-01-08T10:00:00Z", reason: dev}
    approval: {from: [finance], quorum: 2, timeout: 24h}
    message: Ask.
    description: Four eyes.
    controls: [C-2, C-3]
    severity: high
    mode: observe
    expires: 2027-06-30
  - id: small
    effect: allow
    tools: pay
    unless: arguments.amount > 500
"""


def test_every_key_of_a_document_arrives() -> None:
    bundle = load_texts({"p.yaml": WHOLE})
    (document,) = bundle.documents
    assert (document.path, document.policy) == ("p.yaml", "payments")
    assert (document.description, document.owner) == ("Money.", "finance@example.com")
    assert document.controls == ("C-1", "C-2")
    assert document.constants == bundle.constants == {"limit": 500}
    assert document.places["owner"] == Span("p.yaml", 4, 8)
    assert bundle.context is not None
    assert list(bundle.context.facts) == ["environment"]

    pay, read = document.tools
    assert bundle.tools == {"pay": pay, "read": read}
    assert (pay.name, pay.policy, pay.description) == ("pay", "payments", "Pay a supplier.")
    assert (pay.traits, pay.returns, pay.mask) == (("write", "spend"), ("confidential",), ("to",))
    assert pay.arguments is not None
    assert pay.arguments.required == {"amount"}
    assert pay.arguments.kinds_of == {"amount": ("amount",)}
    assert pay.span == Span("p.yaml", 10, 3)
    assert pay.places["mask"] == Span("p.yaml", 18, 11)
    assert (read.traits, read.arguments, read.description) == (None, None, "")

    large, small = bundle.rules
    assert large.name == "payments/large"
    assert large.effect is Effect.ESCALATE
    assert large.tools == ("pay", "other.*")
    assert large.traits == ("spend",)
    assert large.subjects == Subjects(("agent-*",), ("billing",))
    assert large.approval == Approval((Voters(("finance",), 2),), 24 * HOUR)
    assert (large.message, large.description, large.severity) == ("Ask.", "Four eyes.", "high")
    assert large.controls == ("C-1", "C-2", "C-3")
    assert large.observe
    assert large.expires == parse_expiry("2027-06-30")
    assert large.span == Span("p.yaml", 21, 5)
    assert large.places["when"] == Span("p.yaml", 26, 11)
    assert large.when is not None
    assert large.when.source == "arguments.amount > constants.limit"
    assert large.when.span == large.when.place(0) == Span("p.yaml", 26, 11)
    assert large.when.place(10) == Span("p.yaml", 26, 21)
    assert isinstance(large.unless, tuple)
    by_name, by_condition = large.unless
    assert (by_name.reason, by_name.when) == ("FIN-131", None)
    assert by_name.subjects == Subjects(("agent-9",), None)
    assert by_name.expires == parse_expiry("2027-01-08")
    assert by_name.span == Span("p.yaml", 28, 9)
    assert by_condition.when is not None
    assert by_condition.when.place(8) == Span("p.yaml", 29, 25)

    assert isinstance(small.unless, Condition)
    assert (small.when, small.subjects, small.approval, small.expires) == (None,) * 4
    assert (small.message, small.severity, small.observe) == ("", "", False)
    assert small.controls == ("C-1", "C-2")


def test_every_key_of_an_approval_and_of_a_review_arrives() -> None:
    bundle = load_texts(
        {
            "p.yaml": """
version: 1
policy: p
rules:
  - id: two-teams
    effect: escalate
    tools: pay
    approval:
      from: {finance: 1, dana@example.com: 1}
      timeout: 1h
      then: [{after: 20m, from: [board]}, {after: 10m, from: [oncall]}]
      separate_from: [requester, owner]
      remember: 10m
      veto: false
  - {id: nobody, effect: escalate, tools: pay}
  - {id: once, effect: escalate, tools: pay, approval: {from: [a, b], remember: none}}
  - {id: glass, effect: allow, tools: pay, review: {from: [risk], within: 24h}}
"""
        }
    )
    teams, nobody, once, glass = bundle.rules
    assert teams.approval == Approval(
        groups=(Voters(("finance",), 1), Voters(("dana@example.com",), 1)),
        timeout_ns=HOUR,
        stages=(Stage(HOUR // 6, ("oncall",)), Stage(HOUR // 3, ("board",))),
        separate_from=("requester", "owner"),
        remember_ns=HOUR // 6,
        veto=False,
    )
    assert (nobody.approval, nobody.review) == (None, None)
    assert once.approval == Approval((Voters(("a", "b"), 1),), None)
    assert glass.review == Review(("risk",), 24 * HOUR)


def test_the_mode_of_a_document_is_that_of_its_rules_unless_they_say_otherwise() -> None:
    bundle = load_texts(
        {
            "p.yaml": "version: 1\npolicy: p\nmode: observe\nrules:\n"
            "  - {id: a, effect: deny, tools: x}\n"
            "  - {id: b, effect: deny, tools: x, mode: enforce}\n",
            "q.yaml": "version: 1\npolicy: q\nrules: [{id: a, effect: deny, tools: x}]\n",
        }
    )
    assert {rule.name: rule.observe for rule in bundle.rules} == {
        "p/a": True,
        "p/b": False,
        "q/a": False,
    }
