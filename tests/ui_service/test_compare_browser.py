"""Several models on one study in a real browser, live and without a stream."""

from playwright.sync_api import Page, expect

from portal_wire.contract import Job
from tests.ui_service.browsing import heard
from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import answer, not_answered
from tests.ui_service.fake_models import versions


def start_comparison(page: Page, site: Site) -> list[Job]:
    site.fake.models = [versions(3)]
    study = site.fake.add_study(suggested_models=["pneumonia"])
    page.goto(f"{site.origin}/studies/{study.id}")
    page.keyboard.press("c")
    page.get_by_label("pneumonia 3").uncheck()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".column")).to_have_count(2)
    expect(page.get_by_text("No model has answered so far")).to_be_visible()
    return list(site.fake.jobs.values())


def test_models_answer_side_by_side_before_ones_eyes(page: Page, site: Site) -> None:
    first, second = start_comparison(page, site)
    heard(site)
    page.wait_for_timeout(300)
    site.fake.succeed(first, answer("pneumonia", 0.91))
    expect(page.locator(f"#column-{first.id}")).to_contain_text("Pneumonia suspected")
    expect(page.locator("#standing")).to_contain_text("One model answered: Pneumonia suspected so far")
    site.fake.succeed(second, answer("normal", 0.06))
    expect(page.locator("#standing")).to_contain_text("The 2 models that answered disagree")
    expect(page.locator("#toggle")).to_have_attribute("aria-pressed", "true")
    panes = page.locator(".column canvas")
    with_maps = [pane.screenshot() for pane in panes.all()]
    page.keyboard.press("Space")
    expect(page.locator("#toggle")).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(100)
    bare = [pane.screenshot() for pane in panes.all()]
    assert with_maps[0] != bare[0] and with_maps[1] != bare[1]
    panes.first.hover()
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    near = [pane.screenshot() for pane in panes.all()]
    assert near[0] != bare[0] and near[1] != bare[1]
    assert near[0] == near[1]  # the same picture, seen alike
    page.keyboard.press("b")
    expect(page.get_by_text("Models were only compared on this image.")).to_be_visible()


def test_a_comparison_finishes_without_a_stream(page: Page, site: Site, complaints: list[str]) -> None:
    page.route("**/live", lambda route: route.abort())
    first, second = start_comparison(page, site)
    for job, result in ((first, answer("normal", 0.06)), (second, not_answered())):
        changed = {"state": "succeeded", "result": result.model_dump()}
        site.fake.jobs[job.id] = Job.model_validate(job.model_dump() | changed)
    expect(page.locator("#standing")).to_contain_text("One model answered: No pneumonia seen")
    expect(page.locator(f"#column-{second.id}")).to_contain_text("Not answered")
    complaints.clear()  # the failing stream was meant
