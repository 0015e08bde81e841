from __future__ import annotations

from evaluations.agentdojo.__main__ import as_json, by_task, told
from evaluations.agentdojo.outcome import Fate, Outcome, Run, Tally

RAN = Outcome(Fate.RAN, "read_file", "")
ESCALATED = Outcome(Fate.ESCALATED, "send_money", "bank.payments/payment-needs-the-customer")
REFUSED = Outcome(Fate.REFUSED, "update_password", "bank.account/credentials")

TALLY = Tally(
    [
        Run("task 0", (RAN,), done=True),
        Run("task 1", (RAN, ESCALATED), done=False),
        Run("task 1", (ESCALATED, REFUSED), done=True),
    ]
)


def test_a_task_meets_the_fate_of_its_worst_call() -> None:
    assert [run.fate for run in TALLY.runs] == [Fate.RAN, Fate.ESCALATED, Fate.REFUSED]


def test_a_task_without_calls_ran() -> None:
    assert Run("task 2", (), done=True).fate is Fate.RAN


def test_calls_and_tasks_are_counted_apart() -> None:
    assert TALLY.calls() == {Fate.RAN: 2, Fate.ESCALATED: 2, Fate.REFUSED: 1}
    assert TALLY.tasks() == {Fate.RAN: 1, Fate.ESCALATED: 1, Fate.REFUSED: 1}


def test_what_stopped_a_call_is_counted_by_rule() -> None:
    assert TALLY.rules() == {
        (Fate.ESCALATED, "send_money", "bank.payments/payment-needs-the-customer"): 2,
        (Fate.REFUSED, "update_password", "bank.account/credentials"): 1,
    }


def test_runs_of_a_task_are_counted_by_whether_they_are_done() -> None:
    assert by_task(TALLY) == {"task 0": (1, 1), "task 1": (1, 2)}


def test_figures_are_told_as_json() -> None:
    assert as_json(TALLY) == {
        "tasks": {"ran": 1, "needs a person": 1, "refused": 1},
        "calls": {"ran": 2, "needs a person": 2, "refused": 1},
        "by_task": {"task 0": {"done": 1, "of": 1}, "task 1": {"done": 1, "of": 2}},
    }


def test_the_tasks_that_were_done_are_told_by_number() -> None:
    tasks = {"user_task_3": (1, 1), "user_task_4": (0, 1), "user_task_5": (2, 3)}
    assert told(tasks) == "3 of 5 done (numbers 3, 5)"
    assert told({"user_task_4": (0, 1)}) == "0 of 1 done"
