"""How a bank and an office deploy the library: which policies, and which facts they provide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLICIES = Path(__file__).resolve().parent / "policies"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A suite, and the facts that its host knows of the environment it runs in."""

    suite: str
    facts: Callable[[Any], Mapping[str, str]]

    @property
    def policies(self) -> Path:
        """The folder of the policies."""
        return POLICIES / self.suite


def no_facts(_environment: Any) -> dict[str, str]:
    """A bank's policies read no facts."""
    return {}


def home_domain(environment: Any) -> dict[str, str]:
    """An office knows the domain of its own mailboxes."""
    return facts_of_mailbox(environment.inbox.account_email)


def facts_of_mailbox(address: str) -> dict[str, str]:
    """The facts that `policies/workspace` reads, from the address of the mailbox."""
    return {"home_domain": address.rpartition("@")[2]}


DEPLOYMENTS = (Deployment("banking", no_facts), Deployment("workspace", home_domain))
