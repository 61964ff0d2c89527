"""The administrator's pages in a real browser: for a screen reader, narrow and wide, dark and light."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui_service.browsing import NARROW, WIDE, context_for, serious
from tests.ui_service.conftest import Site
from tests.ui_service.fake_accounts import CODE
from tests.ui_service.fake_app import PASSWORD

PAGES = ["/admin/audit", "/admin/users", "/account", "/account/entrances"]


def sign_in(page: Page, site: Site, username: str = "admin") -> None:
    page.goto(f"{site.origin}/sign-in")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.fixture(params=[("dark", WIDE), ("light", NARROW)], ids=["dark-wide", "light-narrow"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    scheme, viewport = request.param
    context = context_for(browser, viewport=viewport, bypass_csp=True)  # for axe's own script
    context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_serious_and_nothing_overflows(page: Page, site: Site) -> None:
    sign_in(page, site)
    (service,) = [one["id"] for one in site.fake.accounts.users if one["role"] == "service"]
    facts = {"id": service, "name": "nightly import", "scopes": ["studies:write"], "last_used_at": None}
    site.fake.accounts.tokens.append(facts | {"expires_at": "2027-02-19T08:30:00Z"})
    for address in [*PAGES, f"/admin/users/{service}"]:
        page.goto(site.origin + address)
        assert serious(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], f"{address} is {width} wide"  # type: ignore[index]


def test_a_second_factor_is_set_up_on_pages_that_axe_likes(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(f"{site.origin}/account")
    page.locator("form[action$='second-factor']").get_by_label("Password").fill("right")
    page.get_by_role("button", name="Set one up").click()
    expect(page.get_by_alt_text("QR code of the secret")).to_be_visible()
    assert serious(page) == []
    page.get_by_label("Code").fill(CODE)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_text("10 recovery codes left")).to_be_visible()
    assert serious(page) == []
