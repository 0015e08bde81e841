from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails.budgets import MemoryLedger, Reservation, memory
from guardrails.budgets.ledger import SPENT_MAX, Exceeded
from guardrails.budgets.sql_ledger import SqlLedger
from guardrails.errors import BudgetsUnavailable
from guardrails.spending import UNITS, Charge
from tests.budgets.naive import NaiveLedger

if TYPE_CHECKING:
    from guardrails.budgets import Ledger

DAY = 86_400 * 10**9
NOW = 20_000 * DAY


def charge(amount: int = 1, limit: int = 10, rule: str = "p/cap", **terms: Any) -> Charge:
    return Charge(rule, terms.pop("scope", '["ever"]'), amount, limit, **terms)


def take(ledger: Ledger, *charges: Charge, now: int = NOW) -> Reservation:
    taken = ledger.reserve(charges, now)
    assert isinstance(taken, Reservation)
    return taken


def refuse(ledger: Ledger, *charges: Charge, now: int = NOW) -> set[str]:
    exceeded = ledger.reserve(charges, now)
    assert isinstance(exceeded, Exceeded)
    return {rule for rule, _ in exceeded.accounts}


def test_the_limit_may_be_reached_and_not_passed(ledger: Ledger) -> None:
    for _ in range(10):
        take(ledger, charge())
    assert ledger.spent(charge(), NOW) == 10
    assert refuse(ledger, charge()) == {"p/cap"}
    assert ledger.spent(charge(), NOW) == 10


def test_of_several_budgets_all_are_charged_or_none(ledger: Ledger) -> None:
    wide, tight = charge(rule="p/a", limit=100), charge(rule="p/b", limit=1)
    take(ledger, wide, tight)
    assert refuse(ledger, wide, tight) == {"p/b"}
    assert (ledger.spent(wide, NOW), ledger.spent(tight, NOW)) == (1, 1)


def test_budgets_of_other_scopes_are_others(ledger: Ledger) -> None:
    take(ledger, charge(limit=1, scope='["ever",["str","1"]]'))
    take(ledger, charge(limit=1, scope='["ever",["int",1]]'))
    assert refuse(ledger, charge(limit=1, scope='["ever",["int",1]]')) == {"p/cap"}


def test_what_rolls_is_spent_for_as_long_as_its_window(ledger: Ledger) -> None:
    rolling = charge(5, window_ns=DAY)
    take(ledger, rolling, now=NOW)
    take(ledger, rolling, now=NOW + DAY // 2)
    assert refuse(ledger, rolling, now=NOW + DAY - 1) == {"p/cap"}
    assert ledger.spent(rolling, NOW + DAY) == 5
    take(ledger, rolling, now=NOW + DAY)
    assert refuse(ledger, rolling, now=NOW + DAY) == {"p/cap"}
    assert ledger.spent(rolling, NOW + 3 * DAY) == 0


def test_to_look_ahead_spends_and_renews_nothing(ledger: Ledger) -> None:
    rolling = charge(10, window_ns=DAY)
    take(ledger, rolling)
    assert ledger.spent(rolling, NOW + 2 * DAY) == 0
    assert refuse(ledger, rolling) == {"p/cap"}


def test_a_clock_that_goes_back_renews_nothing(ledger: Ledger) -> None:
    rolling = charge(10, window_ns=DAY)
    take(ledger, rolling)
    assert refuse(ledger, rolling, now=NOW - 5 * DAY) == {"p/cap"}
    daily = charge(10, rule="p/day", period=700)
    take(ledger, daily)
    assert refuse(ledger, daily._replace(period=699)) == {"p/day"}


def test_the_calendar_renews_what_it_says(ledger: Ledger) -> None:
    take(ledger, charge(10, period=700))
    assert ledger.spent(charge(period=701), NOW) == 0
    take(ledger, charge(10, period=701))
    assert refuse(ledger, charge(period=701)) == {"p/cap"}


@pytest.mark.parametrize("terms", [{"window_ns": DAY}, {"period": 7}, {}], ids=str)
def test_only_what_says_so_is_given_back_by_a_failed_call(
    ledger: Ledger, terms: dict[str, Any]
) -> None:
    kept, given = charge(rule="p/a", **terms), charge(rule="p/b", refunds=True, **terms)
    ledger.give_back(take(ledger, kept, given), whole=False)
    assert (ledger.spent(kept, NOW), ledger.spent(given, NOW)) == (1, 0)
    ledger.give_back(take(ledger, kept, given), whole=True)
    assert (ledger.spent(kept, NOW), ledger.spent(given, NOW)) == (1, 0)


def test_what_no_longer_counts_is_not_given_back(ledger: Ledger) -> None:
    rolling = charge(3, refunds=True, window_ns=DAY)
    old = take(ledger, rolling)
    take(ledger, rolling, now=NOW + 2 * DAY)
    ledger.give_back(old, whole=False)
    assert ledger.spent(rolling, NOW + 2 * DAY) == 3
    daily = charge(3, rule="p/day", refunds=True, period=1)
    old = take(ledger, daily)
    take(ledger, daily._replace(period=2))
    ledger.give_back(old, whole=False)
    assert ledger.spent(daily._replace(period=2), NOW) == 3


def test_what_must_be_counted_is_counted_whatever_the_limit(ledger: Ledger) -> None:
    taken = ledger.reserve([charge(15)], NOW, [charge().account])
    assert isinstance(taken, Reservation)
    take(ledger, charge(15, observed=True))
    assert ledger.spent(charge(), NOW) == 30


def test_what_is_too_much_to_count_is_refused(ledger: Ledger) -> None:
    most = charge(SPENT_MAX, observed=True)
    take(ledger, most)
    with pytest.raises(BudgetsUnavailable, match="can't count as far"):
        ledger.reserve([charge(1, observed=True)], NOW)
    assert ledger.spent(most, NOW) == SPENT_MAX


AMOUNTS = st.sampled_from([1, 100_000, 333_333, UNITS])
TERMS: list[dict[str, Any]] = [
    {"rule": "p/rolls", "window_ns": 100, "limit": UNITS, "refunds": True},
    {"rule": "p/daily", "limit": 2 * UNITS},
    {"rule": "p/ever", "limit": 3 * UNITS, "refunds": True},
]
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "fail", "undo"]),
        st.integers(0, 60),  # nanoseconds that pass
        st.dictionaries(st.integers(0, 2), AMOUNTS, min_size=1),
    ),
    max_size=40,
)


def play(ledger: Ledger, calls: list[tuple[str, int, dict[int, int]]]) -> None:
    """Let both ledgers take the same calls; a day of this calendar is 500 ns."""
    naive, now = NaiveLedger(), 1
    for what, passes, amounts in calls:
        now += passes
        charges = [
            charge(amount, period=now // 500 + 1 if number == 1 else 0, **TERMS[number])
            for number, amount in amounts.items()
        ]
        charges.sort(key=lambda each: each.account)
        expected = naive.reserve(charges, now)
        taken = ledger.reserve(charges, now)
        assert isinstance(taken, Exceeded) is (expected is None)
        if expected is not None and isinstance(taken, Reservation) and what != "call":
            naive.give_back(expected, whole=what == "undo")
            ledger.give_back(taken, whole=what == "undo")
        for each in charges:
            assert ledger.spent(each, now) == naive.spent(each, now)


@given(CALLS)
def test_in_memory_it_counts_as_the_simplest_ledger_does(calls: Any) -> None:
    play(MemoryLedger(), calls)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(CALLS)
def test_in_sqlite_it_counts_as_the_simplest_ledger_does(calls: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqlLedger(Path(folder) / "approvals.db")
        play(ledger, calls)
        ledger.close()


def test_charges_beyond_those_kept_one_by_one_count_longer_never_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "MAX_ENTRIES", 2)
    ledger = MemoryLedger()
    rolling = charge(1, window_ns=100, refunds=True)
    take(ledger, rolling, now=1)
    take(ledger, rolling, now=2)
    last = take(ledger, rolling, now=50)
    assert ledger.spent(rolling, 102) == 2  # the second counts as long as the third
    ledger.give_back(last, whole=False)
    assert ledger.spent(rolling, 102) == 1
    assert ledger.spent(rolling, 150) == 0


def test_no_budget_is_forgotten_to_make_room_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_ACCOUNTS", 2)
    ledger = MemoryLedger()
    first = charge(rule="p/a", window_ns=DAY)
    take(ledger, first)
    take(ledger, charge(rule="p/b"))
    with pytest.raises(BudgetsUnavailable, match="holds 2 budgets in memory"):
        ledger.reserve([charge(rule="p/c")], NOW)
    take(ledger, first)  # what is known goes on
    with pytest.raises(BudgetsUnavailable):  # it looks for room once a second at most
        ledger.reserve([charge(rule="p/c")], NOW + 1)
    take(ledger, charge(rule="p/c"), now=NOW + DAY)  # the first is over, and made room
    assert ledger.spent(charge(rule="p/b"), NOW + DAY) == 1


def test_budgets_of_a_session_end_with_it() -> None:
    ledger = MemoryLedger()
    take(ledger, charge(rule="p/a", session="s-1"), charge(rule="p/b"))
    ledger.forget("s-1")
    ledger.forget("s-2")
    assert ledger.spent(charge(rule="p/a", session="s-1"), NOW) == 0
    assert ledger.spent(charge(rule="p/b"), NOW) == 1


def test_what_was_frozen_stays_as_it_was() -> None:
    ledger = MemoryLedger()
    take(ledger, charge(4, window_ns=DAY))
    frozen = ledger.freeze()
    take(ledger, charge(4, window_ns=DAY))
    assert frozen.spent(charge(window_ns=DAY), NOW) == 4
    assert frozen.spent(charge(rule="p/other"), NOW) == 0


def test_accounts_that_are_over_are_closed_as_new_ones_open(where: str) -> None:
    ledger = SqlLedger(where)
    for number in range(8):
        take(ledger, charge(rule=f"p/{number}", window_ns=DAY))
    take(ledger, charge(rule="p/ever"))
    take(ledger, charge(rule="p/new", window_ns=DAY), now=NOW + 5 * DAY)
    with ledger._transactions.begin(writes=False) as transaction:
        rules = transaction.execute("SELECT rule FROM budget_accounts ORDER BY rule")
        entries = transaction.execute("SELECT COUNT(*) FROM budget_entries")
    assert [rule for (rule,) in rules] == ["p/ever", "p/new"]
    assert entries[0][0] == 1
    ledger.close()


def test_the_store_holds_no_argument_in_the_clear(where: str) -> None:
    ledger = SqlLedger(where)
    take(ledger, charge(scope='["ever",["str","DE89370400440532013000"]]', window_ns=DAY))
    with ledger._transactions.begin(writes=False) as transaction:
        rows = [
            *transaction.execute("SELECT * FROM budget_accounts"),
            *transaction.execute("SELECT * FROM budget_entries"),
        ]
    assert len(rows) == 2
    assert "DE89" not in str(rows)
    ledger.close()
