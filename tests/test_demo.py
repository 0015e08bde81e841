"""The demo tells the truth: which rule met each call, and that it sees when policies are weak."""

from __future__ import annotations

import shutil
import tempfile
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from rich.console import Console

import guardrails
from demo import __main__ as demo
from demo import audit, script
from demo.facts import facts
from demo.play import Outcome, Turn, play
from demo.servers import attackers_site, mail_server
from demo.tools import Desk, toolbox
from demo.world import TOKEN, World, furnish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

POLICIES = Path(demo.__file__).parent / "policies"
CASES = yaml.safe_load((Path(__file__).parent / "demo_outcomes.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, list[Turn]]]:
    """A whole day at the shop, and the shop it leaves."""
    with mail_server() as (_, port), attackers_site() as installer:
        world = World(tmp_path_factory.mktemp("shop").resolve(), port, installer)
        furnish(world, POLICIES)
        guard = guardrails.Guard.load(world.policies, log=world.log, facts=facts(world))
        tools = toolbox(Desk(world))
        scenes = (*script.work(), script.poison(), *script.incidents(installer))
        with guard.session(
            subject="assistant-7", roles=["back-office"], context={"environment": "prod"}
        ):
            turns = [turn for scene in scenes for turn in play(scene, guard, tools, world.log)]
        yield world, turns


def deciding(turn: Turn) -> list[str]:
    """The rules that decided, or the code where no rule did."""
    result = turn.record["result"]
    rules = [match["rule"] for match in result["matches"] if match["effect"] == result["effect"]]
    return rules if result["code"] == "rule" else [result["code"]]


def test_each_call_meets_the_rules_that_the_table_names(
    played: tuple[World, list[Turn]],
) -> None:
    _, turns = played
    told = [[turn.call.tool, turn.outcome.value, *deciding(turn)] for turn in turns]
    assert told == CASES


def test_no_hostile_call_reaches_a_tool(played: tuple[World, list[Turn]]) -> None:
    _, turns = played
    hostile = [turn for turn in turns if turn.scene.hostile]
    assert len(hostile) > 25
    assert [turn.call for turn in hostile if turn.happened] == []


def test_every_record_is_about_the_call_it_is_shown_with(
    played: tuple[World, list[Turn]],
) -> None:
    _, turns = played
    assert len({turn.record["id"] for turn in turns}) == len(turns)


def test_what_the_agent_is_told_holds_no_value(played: tuple[World, list[Turn]]) -> None:
    _, turns = played
    refused = [turn.answer for turn in turns if not turn.happened]
    assert not [answer for answer in refused if TOKEN in answer or "offsite" in answer]


def tell(policies: Path) -> tuple[int, str]:
    out = StringIO()
    code = demo.main(["--policies", str(policies)], Console(file=out, width=120))
    return code, out.getvalue()


def test_the_demo_exits_with_zero_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code, text = tell(POLICIES)
    assert code == 0, text
    assert "BROKEN" not in text
    assert "it held" in text
    assert list(tmp_path.iterdir()) == []


def weaken(folder: Path, file: str, change: Callable[[str], str]) -> Path:
    """A copy of the demo's policies in which one file was changed."""
    copy = folder / "policies"
    shutil.copytree(POLICIES, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert change(text) != text
    (copy / file).write_text(change(text), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("database.yaml", "effect: deny", "effect: allow", "customers"),
        (
            "mail.yaml",
            "id: no-customer-lists\n    effect: deny",
            "id: no-customer-lists\n    effect: allow",
            "mails",
        ),
        ("oversight.yaml", "effect: deny", "effect: allow", "policies"),
    ],
)
def test_the_demo_sees_what_a_weak_policy_lets_through(
    file: str, before: str, after: str, told: str, tmp_path: Path
) -> None:
    policies = weaken(tmp_path, file, lambda text: text.replace(before, after, 1))
    code, text = tell(policies)
    assert code == 1
    assert "IT DID NOT HOLD" in text
    assert any(told in line and "BROKEN" in line for line in text.splitlines()), text


def test_without_rules_in_the_way_the_demo_finds_the_damage(tmp_path: Path) -> None:
    for file in POLICIES.glob("*.yaml"):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["rules"] = [
            {"id": f"all-{number}", "effect": "allow", "tools": tool}
            for number, tool in enumerate(document.get("tools", {}))
        ]
        (tmp_path / file.name).write_text(yaml.safe_dump(document), encoding="utf-8")
    code, text = tell(tmp_path)
    assert code == 1
    broken = [line.split("BROKEN ")[1] for line in text.splitlines() if "BROKEN " in line]
    for damage in (
        "attacks",
        "customers",
        "payments",
        "files",
        "remote main",
        "mails",
        "the token",
        "policies",
    ):
        assert any(line.startswith(damage) for line in broken), (damage, text)


def test_policies_that_do_not_load_are_explained(tmp_path: Path) -> None:
    policies = weaken(
        tmp_path,
        "payments.yaml",
        lambda text: text.replace("arguments.amount", "arguments.ammount", 1),
    )
    code, text = tell(policies)
    assert code == 2
    assert "ammount" in text
    assert "payments.yaml" in text


def test_a_forged_log_is_seen(played: tuple[World, list[Turn]], tmp_path: Path) -> None:
    world, _ = played
    head = tmp_path / "head.json"
    audit.anchor(world.log, head)
    assert audit.verify(world.log, head).sound
    audit.whitewash(world.log, tmp_path / "altered")
    assert not audit.verify(tmp_path / "altered", head).sound
    audit.cut(world.log, tmp_path / "shortened", 1)
    assert not audit.verify(tmp_path / "shortened", head).sound


def test_the_morning_needs_a_person_once(played: tuple[World, list[Turn]]) -> None:
    _, turns = played
    work = [turn.outcome for turn in turns if not turn.scene.hostile]
    assert (work.count(Outcome.ASKS), set(work)) == (1, {Outcome.RAN, Outcome.ASKS})
