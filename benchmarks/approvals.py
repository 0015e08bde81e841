"""How long after a vote the approved call runs, how many calls may wait, and what each takes.

The calls wait in one process and people vote in another, as they do with an agent and an inbox.
The time is from the moment in which a vote is handed in, through its signature, its transaction,
the wake-up, the counting of votes, the decision anew and the record, until the tool begins.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.approvals.service import ApprovalService
    from guardrails.approvals.store import Store

GOAL_NS = 250_000_000
"""Within what time waiters are to learn of a decision."""

SLOWEST = 0.99
PACED_VOTES, PACE_S = 40, 0.05
FIRST = 1_000  # the smallest amount that is asked for

POLICY = """
version: 1
policy: pay
tools:
  pay: {traits: [write, spend], arguments: {amount: {type: integer}}}
rules:
  - id: large
    effect: escalate
    tools: pay
    approval: {from: [finance], timeout: 30m}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """So many calls that wait on a store, each in a thread or all on one event loop."""

    store: str
    waiters: int
    asynchronous: bool

    @property
    def title(self) -> str:
        """The case in words."""
        how = "tasks of one loop" if self.asynchronous else "threads"
        return f"{self.store}, {self.waiters} {how}"


CASES = tuple(
    Case(store, waiters, asynchronous)
    for store in ("SQLite", "PostgreSQL")
    for waiters, asynchronous in ((1, False), (50, False), (200, False), (1_000, True))
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Nanoseconds from single votes to the runs, and of all other votes at once; bytes a waiter."""

    p50: float
    p99: float
    slowest: float
    votes: int
    rest: int
    rest_ns: float
    bytes_each: float


def open_service(where: str) -> ApprovalService:
    """A service at that store, whose one approver is Fay."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from guardrails.approvals.people import Account, People
    from guardrails.approvals.service import ApprovalService
    from guardrails.approvals.sql_store import SqlStore
    from guardrails.approvals.vote import Signer

    people = People([Account("fay@example.com", groups=("finance",))])
    signer = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    return ApprovalService(SqlStore(where), lambda: people, signer)


def hold(where: str, count: int, *, asynchronous: bool) -> None:
    """Let so many calls wait, and print when each of them runs: the agent's process."""
    import guardrails
    from guardrails.approvals.budget import Budget
    from guardrails.approvals.requester import Requester

    service = open_service(where)
    bound = count + 1
    budget = Budget(per_agent=bound, per_approver=bound, flood=bound)
    people = service.people()
    requester = Requester(service.store, lambda: people, service.verifier, budget)
    with tempfile.TemporaryDirectory() as folder:
        policies = Path(folder, "policies")
        policies.mkdir()
        (policies / "pay.yaml").write_text(POLICY, encoding="utf-8")
        guard = guardrails.Guard.load(
            policies, log=Path(folder, "log"), approvals=requester, on_escalate="wait"
        )
        print(resident(), flush=True)
        if asynchronous:
            asyncio.run(wait_in_tasks(guard, count))
        else:
            wait_in_threads(guard, count)


def tell_run(amount: int) -> int:
    """The tool: says when it began."""
    sys.stdout.write(f"{amount} {time.time_ns()} {resident()}\n")
    sys.stdout.flush()
    return amount


def wait_in_threads(guard: Any, count: int) -> None:
    """Let calls wait, each in its thread."""

    def call(amount: int) -> None:
        with guard.session(subject="agent-7"):
            guard.run("pay", {"amount": amount}, tell_run)

    threads = [threading.Thread(target=call, args=(FIRST + n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def wait_in_tasks(guard: Any, count: int) -> None:
    """Let calls wait, all on one event loop."""

    async def run(amount: int) -> int:
        return tell_run(amount)

    async def call(amount: int) -> None:
        async with guard.session(subject="agent-7"):
            await guard.arun("pay", {"amount": amount}, run)

    await asyncio.gather(*(call(FIRST + n) for n in range(count)))


def resident() -> int:
    """Bytes of memory that this process holds; 0 where Linux doesn't say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def run(case: Case, where: str) -> Figures:
    """The figures of a case at an empty store."""
    service = open_service(where)
    mode = "tasks" if case.asynchronous else "threads"
    command = [sys.executable, "-m", "benchmarks.approvals", "--hold", where, str(case.waiters)]
    with subprocess.Popen([*command, mode], stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        before = int(agent.stdout.readline())
        asked = wait_until_pending(service.store, case.waiters, agent)
        voted: dict[int, int] = {}
        for amount in sorted(asked)[:PACED_VOTES]:
            voted[amount] = time.time_ns()
            service.approve(asked[amount], "fay@example.com")
            time.sleep(PACE_S)
        began = time.time_ns()
        for amount in sorted(asked)[PACED_VOTES:]:
            service.approve(asked[amount], "fay@example.com")
        lines = [list(map(int, line.split())) for line in agent.stdout]
    service.store.close()
    assert sorted(line[0] for line in lines) == sorted(asked), "a call was lost, or ran twice"
    ran = {amount: at for amount, at, _ in lines}
    took = sorted(ran[amount] - at for amount, at in voted.items())
    return Figures(
        p50=statistics.median(took),
        p99=took[round((len(took) - 1) * SLOWEST)],
        slowest=took[-1],
        votes=len(took),
        rest=len(asked) - len(took),
        rest_ns=max(ran.values()) - began if len(asked) > len(took) else 0,
        bytes_each=(lines[0][2] - before) / case.waiters,
    )


def wait_until_pending(store: Store, count: int, agent: subprocess.Popen[str]) -> dict[int, str]:
    """The ids of the pending requests by amount, once there are so many, and all are waited for."""
    from guardrails.approvals.request import Status
    from guardrails.approvals.store import Filter

    while agent.poll() is None:
        time.sleep(0.2)
        page = store.list(Filter(statuses=(Status.PENDING,), limit=count + 1))
        if len(page.requests) == count:
            time.sleep(1.0)
            return {int(each.arguments["amount"]): each.id for each in page.requests}
    raise RuntimeError("the process in which calls wait has ended")


@contextmanager
def stores() -> Iterator[dict[str, Any]]:
    """Functions that give the place of an empty store, by the name of its kind."""
    import psycopg

    from tests.postgresql import Missing, Server

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        made: dict[str, Any] = {"SQLite": lambda n: str(Path(folder, str(n), "approvals.db"))}
        try:
            server = Server()
        except Missing as missing:
            print(f"without PostgreSQL: {missing}", file=sys.stderr)
        else:
            stack.callback(server.close)

            def schema(number: int) -> str:
                with psycopg.connect(server.url(), autocommit=True) as connection:
                    connection.execute(f"CREATE SCHEMA s{number}".encode())
                return server.url(options=f"-csearch_path%3Ds{number}")

            made["PostgreSQL"] = schema
        yield made


def goal_of(found: dict[Case, Figures], words: str, most: int) -> tuple[str, bool | None, str]:
    """The goal for the cases of so many waiters: of 1,000, or of fewer."""
    slowest = max(
        (each.p99 for case, each in found.items() if (case.waiters > 200) == (most > 200)),
        default=None,
    )
    goal = f"with {words} calls waiting, 99 in 100 run within {duration(GOAL_NS)} of the vote"
    if slowest is None:
        return goal, None, ""
    return goal, slowest <= GOAL_NS, duration(slowest)


def tables(found: dict[Case, Figures]) -> tuple[Table, Table]:
    """The goal, and the figures of all cases."""
    goals = [goal_of(found, "up to 200", 200), goal_of(found, "1,000", 1_000)]
    rows = tuple(
        (
            case.title,
            duration(figures.p50),
            duration(figures.p99),
            f"{figures.rest} in {duration(figures.rest_ns)}" if figures.rest else "",
            f"{figures.bytes_each / 1024:,.0f} KiB" if case.waiters > 1 else "",
        )
        for case, figures in found.items()
    )
    columns = ("calls that wait", "vote to run, p50", "p99", "approved at once", "memory each")
    return verdicts(goals), Table("From a vote to the run", columns, rows)


REMARKS = (
    "PostgreSQL ran on the same machine, without `fsync`.",
    "The first votes are cast one by one, while all other calls wait; the rest at once.",
    "A waiter on SQLite looks every 50 ms; one on PostgreSQL is told.",
)


def main() -> None:
    """Run the cases, or be the process in which calls wait."""
    if sys.argv[1:2] == ["--hold"]:
        where, count, mode = sys.argv[2:]
        hold(where, int(count), asynchronous=mode == "tasks")
        return
    parser = options.parser("benchmarks.approvals", __doc__)
    parser.add_argument("--waiters", type=options.sizes, help="only cases of so many")
    arguments = parser.parse_args()
    with stores() as places:
        found = {
            case: run(case, places[case.store](number))
            for number, case in enumerate(CASES)
            if case.store in places and case.waiters in (arguments.waiters or [case.waiters])
        }
    report = Report(
        "approvals",
        machine(),
        tables(found),
        REMARKS,
        {"cases": [{**asdict(case), **asdict(found[case])} for case in found]},
    )
    options.publish(report, arguments)


if __name__ == "__main__":
    main()
