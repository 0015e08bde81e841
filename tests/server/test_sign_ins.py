from __future__ import annotations

from dataclasses import replace

import pytest

from guardrails.approvals.people import Account, People
from guardrails.server import sign_ins
from guardrails.server.sign_ins import SignIns, Stamps, Throttle

FAY = Account("fay@example.com", password="hash")
PEOPLE = People([FAY])


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def test_a_sign_in_ends_when_it_is_idle(time: Time) -> None:
    held = SignIns(60, 1000, time)
    token = held.begin(FAY)
    for _ in range(5):
        time.now += 59
        assert held.find(token, PEOPLE) == FAY
    time.now += 60
    assert held.find(token, PEOPLE) is None
    time.now -= 60
    assert held.find(token, PEOPLE) is None


def test_what_no_person_does_does_not_put_off_its_end(time: Time) -> None:
    held = SignIns(60, 1000, time)
    token = held.begin(FAY)
    for _ in range(3):
        time.now += 19
        assert held.find(token, PEOPLE, use=False) == FAY
    time.now += 3
    assert held.find(token, PEOPLE, use=False) is None


def test_a_sign_in_ends_after_its_longest_time_however_busy(time: Time) -> None:
    held = SignIns(60, 100, time)
    token = held.begin(FAY)
    time.now = 55
    assert held.find(token, PEOPLE)
    time.now = 100
    assert held.find(token, PEOPLE) is None


def test_another_token_is_nobodys(time: Time) -> None:
    held = SignIns(60, 100, time)
    token = held.begin(FAY)
    assert held.find(token[:-1], PEOPLE) is None
    assert held.find("", PEOPLE) is None
    held.end(token)
    assert held.find(token, PEOPLE) is None


def test_an_account_that_changed_ends_it_for_good(time: Time) -> None:
    held = SignIns(60, 100, time)
    token = held.begin(FAY)
    assert held.find(token, People([replace(FAY, disabled=True)])) is None
    assert held.find(token, PEOPLE) is None


def test_so_many_are_kept_and_the_one_unused_for_longest_ends(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_ins, "MOST_SIGN_INS", 2)
    held = SignIns(60, 100, time)
    first, second = held.begin(FAY), held.begin(FAY)
    assert held.find(first, PEOPLE)
    third = held.begin(FAY)
    assert held.find(second, PEOPLE) is None
    assert held.find(first, PEOPLE)
    assert held.find(third, PEOPLE)


def test_a_throttle_counts_by_key_and_forgets_with_time(time: Time) -> None:
    throttle = Throttle(2, 10, time)
    assert [throttle.wait_s("a"), throttle.wait_s("a"), throttle.wait_s("b")] == [0, 0, 0]
    time.now = 4
    assert throttle.wait_s("a") == 6
    time.now = 10
    assert throttle.wait_s("a") == 0


def test_a_stamp_is_of_one_purpose_one_text_and_one_server() -> None:
    stamps = Stamps()
    stamp = stamps.stamp("form", "text")
    assert stamps.holds("form", "text", stamp)
    assert not stamps.holds("oidc", "text", stamp)
    assert not stamps.holds("form", "other", stamp)
    assert not stamps.holds("form", "text", "")
    assert not stamps.holds("form", "text", "\u00e9")
    assert not Stamps().holds("form", "text", stamp)
