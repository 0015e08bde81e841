"""The agent's tools: plain methods over real resources, with one decorator each.

Nothing here knows a rule. Who may do what stands in `demo/policies`.
"""

from __future__ import annotations

import smtplib
import subprocess
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from demo.servers import LOOPBACK
from demo.world import today
from guardrails import tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from demo.world import World


class Desk:
    """The tools of one shop."""

    def __init__(self, world: World) -> None:
        self._world = world

    @tool("sql.execute")
    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one SQL statement on the shop's database."""
        return self._world.query(statement)

    @tool("payments.pay")
    def pay(self, payee: str, invoice: str, amount: float) -> str:
        """Pay an invoice."""
        self._world.query(
            "INSERT INTO payments (payee, invoice, amount, paid_on) VALUES (?, ?, ?, ?)",
            payee,
            invoice,
            amount,
            today(),
        )
        return f"paid {amount:.2f} to {payee}"

    @tool("mail.send")
    def send(self, to: list[str], subject: str, body: str) -> str:
        """Send a mail over SMTP."""
        message = EmailMessage()
        message["From"] = "assistant@ourshop.example"
        message["To"] = ", ".join(to)
        message["Subject"] = subject
        message.set_content(body)
        with smtplib.SMTP(LOOPBACK, self._world.mail_port, timeout=10) as server:
            server.send_message(message, to_addrs=to)
        return f"sent to {len(to)}"

    @tool("files.read")
    def read(self, path: str) -> str:
        """Read a text file."""
        return self._world.place(path).read_text(encoding="utf-8")

    @tool("files.write")
    def write(self, path: str, text: str) -> str:
        """Write a text file, replacing what was there."""
        self._world.place(path).write_text(text, encoding="utf-8")
        return f"wrote {len(text)} characters"

    @tool("files.delete")
    def delete(self, paths: list[str]) -> str:
        """Delete files."""
        for path in paths:
            self._world.place(path).unlink()
        return f"deleted {len(paths)}"

    @tool("git.commit")
    def commit(self, message: str) -> str:
        """Commit everything that changed in the web site's repository."""
        self._world.git("add", "--all")
        return self._world.git("commit", "--message", message).splitlines()[0]

    @tool("git.push")
    def push(self, refs: str, *, force: bool = False) -> str:
        """Push to the web site's remote; `refs` is a branch, or what else git takes there."""
        self._world.git("push", "--quiet", *(["--force"] if force else []), "origin", refs)
        return f"pushed {refs}"

    @tool("shell.run")
    def run(self, command: str) -> str:
        """Run a shell command in the shop's folder."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._world.root,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return (done.stdout + done.stderr).strip()


def toolbox(desk: Desk) -> Mapping[str, Callable[..., Any]]:
    """The tools by the names that the agent calls them by."""
    return {
        "sql.execute": desk.execute,
        "payments.pay": desk.pay,
        "mail.send": desk.send,
        "files.read": desk.read,
        "files.write": desk.write,
        "files.delete": desk.delete,
        "git.commit": desk.commit,
        "git.push": desk.push,
        "shell.run": desk.run,
    }
