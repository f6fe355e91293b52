"""Passkeys in a real browser, and the account's pages on every screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import PASSWORD, SCREENS, Visit, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_facts_left")]


def with_fingerprint_reader(page: Page) -> None:
    """A virtual authenticator of the browser's own, that says yes to whatever is asked."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    options |= {"automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def confirm(visit: Visit) -> None:
    visit.shows("Is it you?")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Continue").click()


def test_a_passkey_is_added_and_signs_in_without_a_password(visit: Visit) -> None:
    page = visit.page
    # Browsers know passkeys for names only, not for numbers.
    visit.server = visit.server.replace("127.0.0.1", "localhost")
    with_fingerprint_reader(page)
    set_up(visit)
    page.get_by_role("link", name="Your account").click()
    visit.shows("Your account")
    page.get_by_role("link", name="Add a passkey").click()
    confirm(visit)
    visit.shows("Add a passkey")
    page.get_by_label("Name").fill("Laptop")
    expect(page.get_by_role("checkbox")).to_be_checked()
    visit.is_sound()
    page.get_by_role("button", name="Add it").click()
    visit.shows("Recovery codes")
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("region", name="Passkeys")).to_contain_text("Laptop")
    page.get_by_role("button", name="Sign out").click()
    visit.shows("Sign in")
    page.get_by_role("button", name="Use a passkey").click()
    visit.shows("What did we spend?")
    assert visit.complaints == []


def test_a_passkey_that_is_not_there_is_said_on_the_page(visit: Visit) -> None:
    visit.server = visit.server.replace("127.0.0.1", "localhost")
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("WebAuthn.enable")
    set_up(visit)
    visit.page.get_by_role("button", name="Sign out").click()
    visit.shows("Sign in")
    visit.page.evaluate("() => { navigator.credentials.get = async () => { throw new Error() } }")
    visit.page.get_by_role("button", name="Use a passkey").click()
    expect(visit.page.get_by_role("alert")).to_have_text(
        "That did not work, or it was stopped. Try again."
    )
    assert visit.complaints == []


def test_the_account_is_sound_on_every_screen_and_works_by_keyboard(visit: Visit) -> None:
    page = visit.page
    set_up(visit)
    visit.go("/account/app")
    confirm(visit)
    for path in ("/account", "/account/app", "/account/password", "/account/passkeys/add"):
        visit.go(path)
        for theme, width in SCREENS:
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.set_viewport_size({"width": width, "height": 900})
            visit.is_sound()
    visit.go("/account")
    page.get_by_role("link", name="Change the password").focus()
    page.keyboard.press("Enter")
    visit.shows("Change your password")
    page.get_by_role("button", name="Sign out").click()
    for path in ("/sign-in", "/password"):
        visit.go(path)
        visit.is_sound()
