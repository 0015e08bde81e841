"""People asked at the terminal of the program itself: for a developer's own machine.

    guard = Guard.load("policies/", approvals=TerminalPrompt("fay@example.com"), on_escalate="wait")

It is a shorter way to the same desk: the request is opened as any other, the account signs in with
its password, the service signs the vote, and whoever may not vote elsewhere may not here. Others
can decide meanwhile, at the inbox or by `guardrails approvals`.

The program that asks holds the key that signs, so an agent that runs code in it can sign for
anybody: `docs/how-to/escalate.md` tells what that leaves unprotected.
"""

from __future__ import annotations

import os
import select
import sys
import time
from getpass import getpass
from threading import Lock
from typing import TYPE_CHECKING, Any

from guardrails.approvals.accounts import PeopleFile
from guardrails.approvals.places import FOLDER, locate, open_service
from guardrails.approvals.request import Status
from guardrails.approvals.requester import Requester
from guardrails.approvals.service import check_voter
from guardrails.approvals.sign_in import Attempts, sign_in
from guardrails.approvals.vote import VoteOutcome
from guardrails.errors import (
    ApprovalsUnavailable,
    ConfigurationError,
    SignInRefused,
    VoteRefused,
)
from guardrails.toolchain.approvals.request_text import tell_request
from guardrails.toolchain.lines import plain

if TYPE_CHECKING:
    from guardrails.approvals.budget import Budget
    from guardrails.approvals.request import ApprovalRequest

SIGNED_IN_S = 900
"""Seconds for which a password need not be typed again, as with `sudo`."""

_LOOK_S = 0.25  # how often it is looked whether others have decided, or the time is over
_WORDS = {"approve": VoteOutcome.APPROVE, "deny": VoteOutcome.DENY}


class TerminalPrompt(Requester):
    """What a guard holds of approvals, with a person at the program's own terminal.

    `account` is who sits there, `where` the folder or URL of the store. Raises ConfigurationError
    where standard input or the error stream is no terminal, or nobody is called `account`. It asks
    only calls that wait in a thread without an event loop; from a coroutine it is told how to
    decide elsewhere, and waited for.
    """

    prompts = True

    def __init__(
        self, account: str, where: str | os.PathLike[str] = FOLDER, budget: Budget | None = None
    ) -> None:
        _check_terminal()
        files = locate(where)
        people = PeopleFile(files.people)
        if people().find(account) is None:
            msg = f"{files.people}: nobody is called `{account}`; `guardrails approvers add` adds"
            raise ConfigurationError(msg)
        self._service = open_service(where)
        super().__init__(self._service.store, people, self._service.verifier, budget)
        self._account = account
        self._attempts = Attempts(files.attempts)
        self._turn = Lock()
        self._known_until = 0.0

    def wait(self, request: ApprovalRequest, **how: Any) -> ApprovalRequest:
        """The request once somebody has decided: at this terminal, or elsewhere.

        Raises ApprovalsUnavailable where there is no terminal any more.
        """
        with self._turn:
            _require_terminal()
            request = self.store.get(request.id)
            if request.status is Status.PENDING:
                try:
                    self._ask(request)
                except (VoteRefused, SignInRefused) as refused:
                    _say(f"{refused}; the action waits for others")
                except (EOFError, KeyboardInterrupt) as left:
                    self.store.cancel(request.id, self._account, "left at the terminal")
                    if isinstance(left, KeyboardInterrupt):
                        raise
        return super().wait(request, **how)

    async def wait_async(self, request: ApprovalRequest, **how: Any) -> ApprovalRequest:
        """The request once somebody has decided elsewhere: an event loop is not held up."""
        _say(f"an action waits: guardrails approvals show {request.id} --as {self._account}")
        return await super().wait_async(request, **how)

    def _ask(self, request: ApprovalRequest) -> None:
        people = self._people()
        account = people.find(self._account)
        if account is None:
            raise VoteRefused("there is no such approver", "unknown_voter")
        self.store.see(request.id, account.id)
        now_ns = self.store.now_ns()
        _say("")
        _say(plain(tell_request(request, self._service.standing(request), now_ns)))
        check_voter(request, account, people, now_ns)
        self._sign_in()
        outcome = self._read_outcome(request)
        if outcome is not None:
            voted = self._service.vote(request.id, account.id, outcome, shown=request.content)
            _say(f"{voted.id} is {voted.status}")

    def _sign_in(self) -> None:
        """Ask for the password, unless it was typed a short while ago; raises SignInRefused."""
        if time.monotonic() < self._known_until:
            return
        _forget_typed()
        password = getpass(f"password of {self._account}: ", stream=sys.stderr)
        sign_in(self._people(), self._account, password, self._attempts)
        self._known_until = time.monotonic() + SIGNED_IN_S

    def _read_outcome(self, request: ApprovalRequest) -> VoteOutcome | None:
        """What is typed in full, or None once it is decided elsewhere or its time is over.

        A whole word, so that no key held down decides.
        """
        _forget_typed()
        while True:
            _say("type `approve` or `deny`: ", end="")
            while not _is_typed():
                if self._is_over(request):
                    _say("\nit was decided elsewhere, or its time is over")
                    return None
            line = sys.stdin.readline()
            if not line:
                raise EOFError
            outcome = _WORDS.get(line.strip())
            if outcome is not None:
                return outcome

    def _is_over(self, request: ApprovalRequest) -> bool:
        try:
            return self.store.get(request.id).status is not Status.PENDING
        except ApprovalsUnavailable:
            return False


def _check_terminal() -> None:
    if not _is_terminal():
        raise ConfigurationError(
            "there is no terminal to ask at: give `approvals` the folder of a store instead, "
            "and decide by `guardrails approvals`"
        )


def _require_terminal() -> None:
    if not _is_terminal():
        raise ApprovalsUnavailable("there is no terminal to ask at")


def _is_terminal() -> bool:
    """Whether a person can read what is asked, and her answer comes from her keyboard."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and not stream.closed and stream.isatty() for stream in streams)


def _is_typed() -> bool:
    """Whether a line can be read, after a short wait; on Windows, where none tells, always."""
    if os.name != "posix":
        return True
    return bool(select.select([sys.stdin], [], [], _LOOK_S)[0])


def _forget_typed() -> None:
    """Throw away what was typed before the question was there to be read."""
    if os.name == "posix":
        import termios  # noqa: PLC0415 - there is none on Windows

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _say(text: str, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()
