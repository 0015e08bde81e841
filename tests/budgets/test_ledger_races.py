"""Many at once: threads, processes and connections never spend more than a limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.budgets import Reservation
from guardrails.budgets.sql_ledger import SqlLedger
from guardrails.errors import BudgetsUnavailable
from guardrails.spending import Charge

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.budgets import Ledger

DAY = 86_400 * 10**9

SPENDER = """
import sys, time
from guardrails.budgets import Reservation
from guardrails.budgets.sql_ledger import SqlLedger
from guardrails.spending import Charge
where, tries, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
ledger = SqlLedger(where)
charges = [
    Charge("p/a", '["ever"]', 3, 1000),
    Charge("p/b", '["rolling"]', 2, 10**6, 86_400 * 10**9, refunds=True),
]
print("ready", flush=True)
sys.stdin.readline()
taken = 0
for _ in range(tries):
    reservation = ledger.reserve(charges, time.time_ns())
    if isinstance(reservation, Reservation):
        taken += 1
        print(taken, flush=True)
    time.sleep(pause)
"""


def spender(where: str, tries: int, pause: float = 0) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", SPENDER, where, str(tries), str(pause)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def spent(where: str, rule: str, scope: str, **terms: Any) -> int:
    ledger = SqlLedger(where)
    found = ledger.spent(Charge(rule, scope, 1, 1, **terms), time.time_ns())
    ledger.close()
    return found


def test_threads_share_a_budget_to_the_last_unit(ledger: Ledger) -> None:
    charges = [Charge("p/a", "[]", 7, 100), Charge("p/b", "[]", 1, 10**6, DAY)]

    def work(_: int) -> int:
        return sum(isinstance(ledger.reserve(charges, 10**18), Reservation) for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(work, range(8)))
    assert taken == 14  # 7 * 14 = 98
    assert [ledger.spent(each, 10**18) for each in charges] == [98, 14]


def test_those_who_want_the_same_budgets_in_another_order_do_not_wait_for_each_other(
    where: str,
) -> None:
    one, other = Charge("p/a", "[]", 1, 10**6), Charge("p/b", "[]", 1, 10**6)

    def work(number: int) -> None:
        ledger = SqlLedger(where)
        for _ in range(30):
            ledger.reserve([one, other] if number % 2 else [other, one], 10**18)
        ledger.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert spent(where, "p/a", "[]") == 120


@pytest.mark.slow
def test_processes_share_a_budget_to_the_last_unit(where: str) -> None:
    spenders = [spender(where, 200) for _ in range(4)]
    for each in spenders:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    taken = sum(len(each.communicate()[0].splitlines()) for each in spenders)
    assert taken == 333  # 3 * 333 = 999
    assert spent(where, "p/a", '["ever"]') == 999
    assert spent(where, "p/b", '["rolling"]', window_ns=DAY) == 666


@pytest.mark.slow
def test_what_a_killed_process_took_stays_taken(where: str) -> None:
    spenders = [spender(where, 10_000, 0.002) for _ in range(3)]
    for each in spenders:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    time.sleep(0.4)
    told = 0
    for each in spenders:
        each.send_signal(signal.SIGKILL)
        told += len(each.communicate()[0].splitlines())
    found = spent(where, "p/a", '["ever"]')
    # A process may be killed between its commit and its telling of it: once each.
    assert 3 * told <= found <= 3 * (told + len(spenders))
    assert 2 * found == 3 * spent(where, "p/b", '["rolling"]', window_ns=DAY)
    assert found <= 1000


def test_to_open_a_ledger_disturbs_nobody_who_spends(where: str) -> None:
    charges = [Charge("p/a", "[]", 1, 10**6, DAY)]
    SqlLedger(where).close()

    def work(_: int) -> None:
        for _ in range(6):
            ledger = SqlLedger(where)
            for _ in range(10):
                assert isinstance(ledger.reserve(charges, 10**18), Reservation)
            ledger.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert spent(where, "p/a", "[]", window_ns=DAY) == 0  # a day has gone by since
    ledger = SqlLedger(where)
    assert ledger.spent(charges[0], 10**18) == 240
    ledger.close()


def test_a_child_of_a_fork_goes_on_with_a_connection_of_its_own(tmp_path: Path) -> None:
    where = str(tmp_path / "approvals.db")
    ledger = SqlLedger(where)
    charges = [Charge("p/a", "[]", 1, 10)]
    ledger.reserve(charges, 1)
    child = os.fork()
    if child == 0:
        try:
            ledger.reserve(charges, 1)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    ledger.reserve(charges, 1)
    assert ledger.spent(charges[0], 1) == 3
    ledger.close()


def test_a_file_that_is_gone_is_noticed_and_one_in_its_place_is_another_store(
    tmp_path: Path,
) -> None:
    path = tmp_path / "approvals.db"
    ledger = SqlLedger(path)
    charges = [Charge("p/a", "[]", 1, 10)]
    ledger.reserve(charges, 1)
    for file in tmp_path.iterdir():
        file.rename(tmp_path / f"old-{file.name}")
    with pytest.raises(BudgetsUnavailable, match=r"^the ledger of budgets can't be used: "):
        ledger.reserve(charges, 1)
    path.touch()
    with pytest.raises(BudgetsUnavailable, match="no such table"):
        ledger.spent(charges[0], 1)
    ledger.close()


def test_a_database_that_fails_refuses(schema: str) -> None:
    ledger = SqlLedger(schema)
    with ledger._transactions.begin(writes=True) as transaction:
        transaction.execute("DROP TABLE budget_accounts")
    with pytest.raises(BudgetsUnavailable, match=r"^the ledger of budgets can't be used: "):
        ledger.reserve([Charge("p/a", "[]", 1, 10)], 1)
    ledger.close()
