"""The inbox in a real browser: what people see and do, and what scripts add."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from guardrails.approvals.request import Status
from guardrails.approvals.terms import Terms
from tests.approvals.scenes import rule
from tests.server.premises import FAY, FINN, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.server.premises import Premises

    Visit = Callable[..., Page]

pytestmark = pytest.mark.slow


@pytest.fixture
def visit(premises: Premises, browser: Browser) -> Iterator[Visit]:
    """Opens a browser of its own for somebody, signed in; every console error fails the test."""
    contexts, faults = [], []

    def open_(login: str = FAY, path: str = "/", **settings: Any) -> Page:
        context = browser.new_context(base_url=premises.url, **settings)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}"))
        page.on("console", lambda said: faults.append(said.text) if "Policy" in said.text else None)
        page.goto(path)
        page.get_by_label("Name").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


def decide(page: Page, what: str, comment: str = "") -> None:
    page.get_by_label("Comment").fill(comment)
    page.get_by_role("button", name=what, exact=True).click()


def test_a_person_signs_in_finds_what_waits_and_approves_it(
    premises: Premises, visit: Visit
) -> None:
    asked = premises.ask()
    page = visit()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 request waits for you")
    page.get_by_role("link", name="payments.transfer").click()
    expect(page.get_by_text('"ACME"')).to_be_visible()
    decide(page, "Approve", "as agreed")
    expect(page.get_by_role("heading", name="Approved, not yet run")).to_be_visible()
    assert premises.store.get(asked.id).status is Status.APPROVED


def test_a_link_to_a_request_leads_there_after_signing_in_and_denying_ends_it(
    premises: Premises, visit: Visit
) -> None:
    asked = premises.ask()
    page = visit(path=f"/requests/{asked.id}")
    expect(page).to_have_url(re.compile(asked.id))
    decide(page, "Deny", "unknown supplier")
    expect(page.get_by_role("heading", name="Denied")).to_be_visible()
    expect(page.get_by_text("unknown supplier")).to_be_visible()
    assert premises.store.get(asked.id).status is Status.DENIED


def test_two_people_in_two_browsers_make_a_quorum_and_see_each_other(
    premises: Premises, visit: Visit
) -> None:
    asked = premises.ask(rule(terms=Terms.any_of(["finance"], 2)))
    first = visit(FAY, f"/requests/{asked.id}")
    second = visit(FINN, f"/requests/{asked.id}")
    second.get_by_label("Comment").fill("half a sentence")
    decide(first, "Approve")
    expect(first.get_by_text("You approved this.")).to_be_visible()
    expect(first.get_by_text("Still wanted: 1 of finance.")).to_be_visible()
    expect(second.get_by_text("Still wanted: 1 of finance.")).to_be_visible()  # by itself
    expect(second.get_by_label("Comment")).to_have_value("half a sentence")
    assert premises.store.get(asked.id).status is Status.PENDING
    second.get_by_role("button", name="Approve", exact=True).click()
    expect(second.get_by_role("heading", name="Approved, not yet run")).to_be_visible()
    expect(first.get_by_role("heading", name="Approved, not yet run")).to_be_visible()
    assert premises.store.get(asked.id).status is Status.APPROVED


def test_a_request_that_ends_while_it_is_looked_at_can_not_be_approved_any_more(
    premises: Premises, visit: Visit
) -> None:
    page = visit()
    asked = premises.ask(lasts_s=6)
    page.goto(f"/requests/{asked.id}")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    expired = page.get_by_role("heading", name="Expired")
    expect(expired).to_be_visible(timeout=15_000)  # by itself
    expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    assert premises.store.get(asked.id).status is Status.EXPIRED


def test_the_time_that_is_left_is_the_servers_where_the_clock_of_the_browser_is_wrong(
    premises: Premises, visit: Visit
) -> None:
    asked = premises.ask(lasts_s=1800)
    page = visit()
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=3))
    page.goto(f"/requests/{asked.id}")
    expect(page.locator("#panel .left")).to_have_text(re.compile(r"^29m \d+s$"))


def test_without_scripts_a_request_that_has_ended_meanwhile_says_so(
    premises: Premises, visit: Visit
) -> None:
    page = visit(java_script_enabled=False)
    asked = premises.ask(lasts_s=3)
    page.goto(f"/requests/{asked.id}")
    page.wait_for_timeout(3_500)
    decide(page, "Approve")
    expect(page.get_by_role("alert")).to_contain_text("Your vote was not taken")
    assert premises.store.get(asked.id).status is Status.EXPIRED


def test_without_scripts_all_that_is_needed_works(premises: Premises, visit: Visit) -> None:
    asked = premises.ask()
    page = visit(java_script_enabled=False)
    page.get_by_role("link", name="payments.transfer").click()
    decide(page, "Approve", "no script")
    expect(page.get_by_role("heading", name="Approved, not yet run")).to_be_visible()
    assert premises.store.get(asked.id).votes[0].comment == "no script"
    page.get_by_role("link", name="History").click()
    page.get_by_label("Status").select_option("approved")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="payments.transfer")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_new_request_appears_by_itself(premises: Premises, visit: Visit) -> None:
    page = visit()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits for you")
    expect(page.locator("html")).to_have_attribute("data-connected", "yes")
    premises.ask()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 request waits for you")
    expect(page).to_have_title(re.compile(r"^\(1\) Inbox"))


def test_it_can_be_decided_by_keyboard_alone(premises: Premises, visit: Visit) -> None:
    soon = premises.ask(session="a", lasts_s=300)
    late = premises.ask(session="b", lasts_s=900)
    page = visit()
    expect(page.locator("html")).to_have_attribute("data-connected", "yes")  # the script has run
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(soon.id))
    page.keyboard.press("c")
    page.keyboard.type("approve? a d j k")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    assert premises.store.get(soon.id).votes == ()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Approved, not yet run")).to_be_visible()
    assert premises.store.get(soon.id).votes[0].comment == "approve? a d j k"
    page.get_by_role("link", name="Next that waits for you").press("Enter")
    expect(page).to_have_url(re.compile(late.id))


def test_a_page_with_another_token_decides_nothing(premises: Premises, visit: Visit) -> None:
    asked = premises.ask()
    page = visit(path=f"/requests/{asked.id}")
    page.evaluate("document.querySelector('.vote input[name=token]').value = 'f'.repeat(64)")
    decide(page, "Approve")
    expect(page.get_by_role("heading", level=1)).to_have_text("That form was not this page's")
    assert premises.store.get(asked.id).votes == ()


def test_arguments_that_would_run_or_deceive_are_shown_as_they_are(
    premises: Premises, visit: Visit
) -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    asked = premises.ask(
        arguments={"to": "\u0410CME", "file": "invoice\u202efdp.exe", script: script},
        evidence={"description": script, "traits": None},
    )
    page = visit(path=f"/requests/{asked.id}")
    arguments = page.locator(".arguments")
    expect(arguments.get_by_text(f'"{script}"', exact=True)).to_be_visible()
    expect(arguments.get_by_text("\\u202e", exact=True)).to_have_attribute(
        "title", "U+202E, right-to-left override"
    )
    expect(arguments.get_by_text("Cyrillic letters")).to_be_visible()
    expect(page.get_by_text("Nobody has declared what this tool touches")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_what_has_changed_since_the_last_call_stands_beside_what_was(
    premises: Premises, visit: Visit
) -> None:
    before = {"to": "ACME", "amount": 90.0}
    earlier = {"at_ns": 1, "tool": "payments.transfer", "effect": "allow", "arguments": before}
    asked = premises.ask(evidence={"earlier": [earlier]})
    page = visit(path=f"/requests/{asked.id}")
    changed = page.locator(".argument.changed")
    expect(changed).to_have_count(1)
    expect(changed).to_contain_text("900.0")
    expect(changed).to_contain_text("Changed. Last time in this session:")
    expect(changed).to_contain_text("90.0")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen(premises: Premises, visit: Visit, width: int) -> None:
    long = "x" * 500
    asked = premises.ask(arguments={long: long, "list": [long] * 3}, context={long: long})
    page = visit(path=f"/requests/{asked.id}", viewport={"width": width, "height": 800})
    for path in (f"/requests/{asked.id}", "/", "/history", "/figures"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(premises: Premises, visit: Visit, scheme: str) -> None:
    """A contrast of 4.5 to 1 (WCAG 2.2, 1.4.3) for the colours that text is set in."""
    page = visit(color_scheme=scheme)
    colours = page.evaluate(
        """() => {
          const style = getComputedStyle(document.documentElement);
          const names = ["ground", "sheet", "sunk", "ink", "soft", "accent", "on-accent", "good",
                         "bad", "bad-ground", "warn", "warn-ground"];
          return Object.fromEntries(names.map(n => [n, style.getPropertyValue("--" + n).trim()]));
        }"""
    )
    for text, ground in [
        *(
            (text, ground)
            for text in ("ink", "soft", "accent", "good", "bad", "warn")
            for ground in ("ground", "sheet")
        ),
        ("soft", "sunk"),
        ("ink", "sunk"),
        ("on-accent", "accent"),
        ("bad", "bad-ground"),
        ("ink", "bad-ground"),
        ("warn", "warn-ground"),
        ("ink", "warn-ground"),
    ]:
        assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_channel_that_could_not_be_told_is_seen_above_what_waits(
    premises: Premises, visit: Visit
) -> None:
    premises.ask()
    outbox = premises.store.outbox
    outbox.collect("finance-desk", ["opened"])
    taken = outbox.take("finance-desk", 10**9)
    assert taken is not None
    outbox.give_up(taken, "the address answers 410")
    page = visit(viewport={"width": 360, "height": 740})
    notice = page.locator(".notice", has_text="finance-desk could not be told")
    expect(notice).to_contain_text("the address answers 410")
    expect(notice).to_contain_text("A request waits for people who may not know of it.")
    above, row = notice.bounding_box(), page.locator(".row").first.bounding_box()
    assert above is not None
    assert row is not None
    assert above["y"] + above["height"] <= row["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
