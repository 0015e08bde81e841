"""Methods and async tools are guarded as functions are; `self` is no argument.

Tasks started inside a session belong to it, so three calls at a time are judged as one subject's.
"""

import asyncio
from pathlib import Path

import guardrails

guard = guardrails.Guard.load(Path(__file__).parent / "policies")


class Library:
    """A few books."""

    def __init__(self) -> None:
        self.lent: dict[str, int] = {}

    @guard.tool("library.find")
    async def find(self, title: str) -> str:
        """Where a book is."""
        await asyncio.sleep(0)
        return f"{title}: {'lent' if title in self.lent else 'on the shelf'}"

    @guard.tool("library.lend")
    def lend(self, title: str, days: int = 14) -> str:
        """Lend a book."""
        self.lent[title] = days
        return f"{title}: lent for {days} days"


async def visit(library: Library) -> None:
    """Borrow one book, fail to keep another, and look three up at once."""
    async with guard.session(subject="reader-bot", roles=["reader"]):
        print(library.lend("Emma"))
        try:
            library.lend("Ulysses", days=365)
        except guardrails.ActionDenied as refusal:
            print(refusal)
        print(
            *await asyncio.gather(*map(library.find, ("Emma", "Ulysses", "Middlemarch"))), sep="\n"
        )


library = Library()
asyncio.run(visit(library))
try:
    library.lend("Emma")
except guardrails.ActionDenied as refusal:
    print("outside the session:", refusal.decision.code)
