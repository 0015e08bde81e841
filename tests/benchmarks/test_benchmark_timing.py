from __future__ import annotations

import gc

import pytest

from benchmarks import timing
from benchmarks.timing import Samples, Subject, measure


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "BATCH_NS", 1_000)
    monkeypatch.setattr(timing, "SINGLES", 4)


def test_each_subject_is_called_with_its_pairs_in_turn() -> None:
    seen: list[tuple[int, int]] = []

    def note(first: int, second: int) -> None:
        seen.append((first, second))

    measure([Subject(note, [(1, 2), (3, 4)])], 1)
    assert seen == [(1, 2), (3, 4)] * (len(seen) // 2)


def test_subjects_take_turns_in_every_round() -> None:
    order: list[str] = []

    def note(name: str, _second: int) -> None:
        order.append(name)

    measure([Subject(note, [(name, 0)]) for name in "ab"], 2)
    changes = [name for name, before in zip(order, ["", *order], strict=False) if name != before]
    # Each is warmed up once, then has two turns; the second round starts with the other.
    assert changes == ["a", "b", "a", "b", "a"]


def test_asynchronous_subjects_are_awaited() -> None:
    awaited: list[int] = []

    async def subject(first: int, _second: int) -> None:
        awaited.append(first)

    (figures,) = measure([Subject(subject, [(7, 0)], asynchronous=True)], 1)
    assert set(awaited) == {7}
    assert figures.best > 0


def test_the_garbage_collector_is_off_while_timing_and_on_after() -> None:
    states: list[bool] = []
    measure([Subject(lambda _first, _second: states.append(gc.isenabled()), [(0, 0)])], 1)
    assert states[-1] is False
    assert gc.isenabled()


def test_figures_are_percentiles_less_the_clock_and_the_least_median() -> None:
    samples = Samples(passes=1, singles=list(range(101)), medians=[7.0, 5.0, 9.0])
    figures = samples.figures(clock=20)
    assert (figures.p50, figures.p99, figures.best) == (30, 79, 5.0)


def test_a_figure_is_never_below_nothing() -> None:
    assert Samples(passes=1, singles=[3], medians=[1.0]).figures(clock=20).p50 == 0
