"""`python -m demo`: an agent works, is poisoned, and is stopped, over real resources.

Exits 0 when everything held, 1 when an attack got through or the evidence is not as it must be,
2 when the policies can't be loaded or this machine lacks something.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console

import guardrails
from demo import audit, evidence, script
from demo.facts import facts
from demo.play import Outcome, Turn, play
from demo.servers import Mailbox, attackers_site, mail_server
from demo.telling import Teller
from demo.tools import Desk, toolbox
from demo.world import World, furnish

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent


def main(words: Sequence[str] | None = None, console: Console | None = None) -> int:
    """The exit code of a whole telling."""
    options = _parser().parse_args(words)
    teller = Teller(console or Console(highlight=False))
    if shutil.which("git") is None:
        teller.say("the demo needs git, and there is none on this machine")
        return 2
    started = time.monotonic()
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="guardrails-demo-"))).resolve()
        mailbox, port = stack.enter_context(mail_server())
        world = World(root, port, stack.enter_context(attackers_site()))
        try:
            furnish(world, options.policies)
            guard = guardrails.Guard.load(world.policies, log=world.log, facts=facts(world))
        except (guardrails.PolicyError, FileNotFoundError) as error:
            teller.say(f"the policies can't be loaded, so nothing may run:\n\n{error}", "red")
            return 2
        teller.say(
            "An agent has nine tools: a real database, mail server, git repository, files.\n"
            f"What it may do stands in {_short(options.policies)}; what no rule allows is refused."
        )
        held = _tell(teller, guard, world, mailbox)
    teller.say(f"\n{time.monotonic() - started:.1f} seconds; everything was in a temporary folder.")
    return 0 if held else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--policies", type=Path, default=HERE / "policies", help="the folder of policies to use"
    )
    return parser


def _short(folder: Path) -> Path:
    """The folder as seen from the current one, where it lies in it."""
    folder = folder.resolve()
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _tell(teller: Teller, guard: guardrails.Guard, world: World, mailbox: Mailbox) -> bool:
    """Whether everything held, after the whole story."""
    before = evidence.photograph(world)
    turns = _play_all(teller, guard, world)
    findings = evidence.compare(before, evidence.photograph(world), world, mailbox.mails, turns)
    _account(teller, turns)
    teller.chapter("the shop afterwards, counted")
    teller.findings(findings)
    teller.say("\n          The mails that were delivered:")
    teller.mails(mailbox.mails)
    sound = _audit(teller, world)
    held = sound and all(finding.held for finding in findings)
    teller.chapter("it held" if held else "IT DID NOT HOLD")
    teller.say("Now change a rule in demo/policies and run it again: the files say what to try.")
    return held


def _play_all(teller: Teller, guard: guardrails.Guard, world: World) -> list[Turn]:
    tools = toolbox(Desk(world))
    turns: list[Turn] = []

    def show(scene: script.Scene) -> None:
        teller.scene(scene)
        for turn in play(scene, guard, tools, world.log):
            teller.turn(turn)
            turns.append(turn)

    with guard.session(
        subject="assistant-7",
        roles=["back-office"],
        on_behalf_of="dana@ourshop.example",
        context={"environment": "prod"},
    ):
        teller.chapter("the morning's work")
        for scene in script.work():
            show(scene)
        teller.chapter("a poisoned ticket")
        show(script.poison())
        if turns[-1].outcome is Outcome.RAN:
            teller.read_aloud(world.query("SELECT body FROM tickets WHERE id = 3")[0][0])
        teller.say(script.poison().told, "italic")
        teller.chapter("what the published incidents did")
        for scene in script.incidents(world.installer):
            show(scene)
    return turns


def _account(teller: Teller, turns: Sequence[Turn]) -> None:
    """Say how many calls of each part ended how."""
    teller.chapter("the account")
    for name, hostile in (("work", False), ("attacks", True)):
        part = [turn for turn in turns if turn.scene.hostile is hostile]
        counts = ", ".join(
            f"{sum(turn.outcome is outcome for turn in part)} {words}"
            for outcome, words in (
                (Outcome.RAN, "ran"),
                (Outcome.ASKS, "would need a person"),
                (Outcome.REFUSED, "refused"),
                (Outcome.FAILED, "failed"),
            )
        )
        teller.say(f"{name:>8}: {len(part)} calls; {counts}")


def _audit(teller: Teller, world: World) -> bool:
    """Whether the log verifies, and forged copies of it don't."""
    teller.chapter("the log")
    head = world.root / "head.json"
    audit.anchor(world.log, head)
    line = audit.whitewash(world.log, world.root / "altered")
    audit.cut(world.log, world.root / "shortened", 4)
    sound = True
    for folder, told in (
        ("log", "The agent's log, with anchors that were kept elsewhere:"),
        ("altered", f"A copy in which the decision in line {line} was turned round:"),
        ("shortened", "A copy without its last four records:"),
    ):
        verification = audit.verify(world.root / folder, head)
        teller.say(f"\n{told}")
        teller.verification(
            f"guardrails audit verify {folder} --head head.json",
            verification.words.replace(f"{world.root}/", ""),
            as_it_should=verification.sound is (folder == "log"),
        )
        sound &= verification.sound is (folder == "log")
    return sound


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
