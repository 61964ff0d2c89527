"""Every page in a real browser for a screen reader, on a narrow screen, in either theme, and without scripts."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from portal_wire.contract import JobState
from tests.ui_service.browsing import NARROW, WIDE, context_for, serious, sign_in
from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import answer, grey_png, not_answered
from tests.ui_service.fake_models import site_fit_of, versions

FAILURE = {"code": "model_unavailable", "detail": "The model did not answer in time."}


def populate(site: Site) -> list[str]:
    """One study in every state; gives the addresses of all pages."""
    add = site.fake.add_study
    results = (answer("pneumonia", 0.91), answer("normal", 0.06), answer("uncertain", 0.49), not_answered())
    done = [site.fake.succeed(site.fake.add_job(add()), result) for result in results]
    failed = site.fake.add_job(add(), JobState.FAILED, error=FAILURE)
    running = site.fake.add_job(add("a-very-long-file-name-without-any-break.png"), JobState.RUNNING, progress=0.4)
    shown = [*done, failed, running]
    site.fake.models = [versions(2)]
    site.fake.site["fits"] = [site_fit_of(1), site_fit_of(0) | {"in_force": True}]
    compared = add()
    site.fake.succeed(site.fake.add_job(compared, purpose="compare"), answer("pneumonia", 0.91))
    site.fake.add_job(compared, JobState.FAILED, version="2", purpose="compare", error=FAILURE)
    models = ["/models", "/models/pneumonia", "/models/pneumonia/versions/1/network"]
    comparisons = [f"/studies/{study_id}/compare" for study_id in (compared.id, shown[0].study_id)]
    return ["/", *models, *comparisons, *(f"/studies/{job.study_id}" for job in shown)]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "390"])
def test_axe_finds_nothing_serious_and_nothing_overflows(
    browser: Browser, site: Site, viewport: dict[str, int], scheme: str
) -> None:
    context = context_for(browser, viewport=viewport, bypass_csp=True)  # for axe's own script
    context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
    page = context.new_page()
    page.goto(f"{site.origin}/sign-in")
    found = serious(page)
    sign_in(page, site)
    for address in populate(site):
        page.goto(site.origin + address)
        for canvas in page.locator("canvas[data-src]").all():
            expect(canvas).to_have_attribute("data-drawn", "yes")
        found += serious(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{address} is {width} wide"
    context.close()
    assert found == []


def test_the_theme_is_dark_until_someone_wants_it_light(browser: Browser, site: Site) -> None:
    context = context_for(browser, color_scheme="light")  # what the desktop prefers does not count in a reading room
    page = context.new_page()
    sign_in(page, site)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(14, 17, 22)"
    page.get_by_label("Light or dark").click()
    assert page.evaluate(ground) == "rgb(246, 247, 249)"
    page.reload()
    page.wait_for_load_state()
    assert page.evaluate(ground) == "rgb(246, 247, 249)"
    context.close()


def test_without_scripts_forms_tables_and_results_work(browser: Browser, site: Site, tmp_path: Path) -> None:
    context = context_for(browser, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site)
    film = tmp_path / "film.png"
    film.write_bytes(grey_png())
    page.locator("#files").set_input_files(film)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    (job,) = site.fake.jobs.values()
    site.fake.succeed(job, answer("pneumonia", 0.91))
    page.get_by_role("link", name="film.png").click()
    expect(page.locator("#said")).to_contain_text("Pneumonia suspected")
    expect(page.get_by_role("img", name="X-ray film.png").last).to_be_visible()
    page.get_by_role("button", name="Disagree").click()
    expect(page.locator("#review")).to_contain_text("Disagreed by doctor")
    context.close()
