"""A channel of one's own in twenty lines: here it prints, yours rings a pager or writes a ticket.

`guardrails serve` runs the same class from `guardrails.toml`:

    [[approvals.channels]]
    name = "pager"
    kind = "python"
    target = "pager:Pager"
    options = {number = "+49 30 112"}
"""

import time
from pathlib import Path

import guardrails
from guardrails.approvals.accounts import write_people
from guardrails.approvals.channels import Courier, DeliveryFailed, Notice
from guardrails.approvals.people import Account, People
from guardrails.approvals.places import open_service


class Pager:
    """Rings somebody when something waits, and says when it no longer does."""

    def __init__(self, name: str, events: tuple[str, ...], number: str) -> None:
        self.name = name
        self.events = events
        self.number = number
        self.rung = 0

    def deliver(self, notice: Notice) -> None:
        """Ring. Whatever is raised here, the notice comes again, under the same `notice.id`."""
        if not self.number.startswith("+"):
            raise DeliveryFailed("the number has no country code", final=True)
        asked = notice.request
        print(f"to {self.number}: {asked.tool} of {asked.agent} is {notice.event}")
        self.rung += 1


def wait_for(rings: int) -> None:
    """Wait for the pager, so that what this prints is in order; no program needs that."""
    while pager.rung < rings:
        time.sleep(0.02)


write_people(People([Account("fay@example.com", groups=("finance",))]), "state/approvers.yaml")
service = open_service("state")
guard = guardrails.Guard.load(Path(__file__).parent / "policies", approvals="state")


@guard.tool
def pay(to: str, amount: float) -> str:
    """Pay a supplier."""
    return f"paid {amount:g} to {to}"


pager = Pager("pager", ("opened", "approved"), "+49 30 112")
with Courier(service.store, [pager]), guard.session(subject="billing-bot", id="task-1"):
    try:
        pay("ACME", 900)
    except guardrails.ApprovalRequired as waiting:
        wait_for(1)
        service.approve(waiting.request, "fay@example.com")
        wait_for(2)
    print(pay("ACME", 900))
