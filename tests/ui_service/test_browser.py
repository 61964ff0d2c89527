"""The pages in a real browser, over TLS, under their own policy: live, by keyboard, and for a screen reader."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal_wire.contract import Job, JobState
from portal_wire.errors import TooManyRequests
from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import answer, grey_png, not_answered
from tests.ui_service.fake_app import PASSWORD
from tests.ui_service.fake_models import site_fit_of, versions

WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
FAILURE = {"code": "model_unavailable", "detail": "The model did not answer in time."}


def context_for(browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(ignore_https_errors=True, **({"viewport": WIDE} | options))
    context.set_default_timeout(10_000)
    return context


@pytest.fixture
def complaints() -> list[str]:
    """Console errors and policy violations; a test that ends with any fails."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Page]:
    """The worklist of a doctor who has signed in."""
    context = context_for(browser)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, site)
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.origin}/")
    page.get_by_label("Name").fill("doctor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Worklist · Lightbox")
    page.wait_for_load_state()  # scripts are in place


def heard(site: Site) -> None:
    """Wait until a live stream is open."""
    for _ in range(200):
        if site.fake.listeners:
            return
        time.sleep(0.02)
    raise AssertionError("no page listens")


def forgive_refusals(complaints: list[str]) -> None:
    """The browser itself notes each refused request in the console; nothing else may stand there."""
    complaints[:] = [text for text in complaints if "415" not in text]


def files(*names: str) -> list[Any]:
    return [{"name": name, "mimeType": "image/png", "buffer": grey_png()} for name in names]


def test_uploads_are_worked_on_before_ones_eyes(page: Page, site: Site) -> None:
    page.get_by_label("Add images").set_input_files(files("one.png", "two.png", "three.png", "four.png"))
    expect(page.locator("#rows tr")).to_have_count(4)
    expect(page.locator("#uploads li")).to_have_count(0)
    expect(page.get_by_text("Waiting, next in line")).to_have_count(4)
    heard(site)
    job = next(iter(site.fake.jobs.values()))
    row = page.locator(f"#row-{job.study_id}")
    row.get_by_role("checkbox").check()
    site.fake.change(job, state=JobState.RUNNING)
    expect(row.get_by_text("Working")).to_be_visible()
    site.fake.change(job, state=JobState.RUNNING, progress=0.4)
    expect(row.get_by_text("Working, 40%")).to_be_visible()
    expect(row.get_by_role("progressbar", name="Progress of pneumonia")).to_have_attribute("value", "0.4")
    site.fake.succeed(job, answer("pneumonia", 0.91))
    expect(row.get_by_text("Pneumonia suspected")).to_be_visible()
    expect(row.get_by_text("0.91")).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#announcer")).to_have_text("Pneumonia suspected")


def test_files_dropped_anywhere_are_uploaded(page: Page, complaints: list[str]) -> None:
    transfer = page.evaluate_handle(
        """async () => {
            const transfer = new DataTransfer();
            const bytes = await (await fetch("/static/icon.svg")).blob();
            transfer.items.add(new File([bytes], "photo.svg", { type: "image/svg+xml" }));
            return transfer;
        }"""
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
    expect(page.locator("body.dragging")).to_have_count(1)
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator("body.dragging")).to_have_count(0)
    expect(page.locator("#uploads")).to_contain_text("photo.svg")
    expect(page.locator("#uploads")).to_contain_text("this file is neither")
    forgive_refusals(complaints)


def test_a_refused_file_keeps_its_line_until_dismissed(page: Page, complaints: list[str]) -> None:
    refused = {"name": "holiday.gif", "mimeType": "image/gif", "buffer": b"GIF89a"}
    page.get_by_label("Add images").set_input_files([refused, *files("good.png")])
    line = page.locator("#uploads li", has_text="holiday.gif")
    expect(line).to_contain_text("Expected a PNG or JPEG image; this file is neither.")
    expect(page.locator("#rows tr")).to_have_count(1)
    line.get_by_role("button", name="Dismiss").click()
    expect(line).to_have_count(0)
    forgive_refusals(complaints)


def test_a_busy_portal_gets_the_file_later_by_itself(page: Page, site: Site, complaints: list[str]) -> None:
    site.fake.broken = TooManyRequests("Too many of your images are still waiting.", retry_after_s=1)
    page.get_by_label("Add images").set_input_files(files("one.png", "two.png", "three.png", "four.png"))
    expect(page.locator("#uploads li").first).to_contain_text("the portal is busy, waiting")
    expect(page.locator("#announcer")).to_contain_text("Your images are sent as soon as it takes them")
    site.fake.broken = None
    expect(page.locator("#rows tr")).to_have_count(4)
    expect(page.locator("#uploads li")).to_have_count(0)
    # The browser's own notes, and the live stream's if it came in between: the whole App was busy.
    complaints[:] = [text for text in complaints if "429" not in text and text != "[object Event]"]


def test_the_bar_of_an_upload_moves_as_it_travels(page: Page, site: Site) -> None:
    line = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 600_000}
    line.send("Network.emulateNetworkConditions", conditions)
    page.evaluate(
        """() => {
            window.seen = [];
            const note = (each) => window.seen.push(each.target.value);
            const changes = new MutationObserver((all) => all.filter((each) => each.target.value > 0).forEach(note));
            changes.observe(document.getElementById("uploads"), { subtree: true, attributeFilter: ["value"] });
        }"""
    )
    large = {"name": "large.png", "mimeType": "image/png", "buffer": grey_png() + bytes(1_200_000)}
    page.get_by_label("Add images").set_input_files([large])
    expect(page.locator("#uploads .figure")).to_have_text(re.compile(r"^[1-9]\d? %$"))
    expect(page.locator("#rows tr")).to_have_count(1)
    seen = page.evaluate("window.seen")
    assert len(set(seen)) > 3 and seen == sorted(seen) and seen[0] < 0.6 and seen[-1] == 1


def test_a_file_that_is_too_large_is_refused_before_it_travels(page: Page, site: Site) -> None:
    large = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(5_000_001)}
    page.get_by_label("Add images").set_input_files([large])
    expect(page.locator("#uploads li")).to_contain_text("larger than the portal accepts")
    assert not site.fake.uploads


def test_a_sample_film_is_one_click_away(page: Page) -> None:
    page.get_by_role("button", name="Sample film 2").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.get_by_text("CC BY 4.0")).to_be_visible()


def test_when_the_stream_fails_the_page_asks_by_itself(page: Page, site: Site, complaints: list[str]) -> None:
    page.route("**/live", lambda route: route.abort())
    job = site.fake.add_job(site.fake.add_study(), JobState.RUNNING)
    page.reload()
    expect(page.get_by_text("Live updates are interrupted")).to_be_visible()
    site.fake.jobs[job.id] = Job.model_validate(
        job.model_dump() | {"state": "succeeded", "result": answer("normal", 0.06).model_dump()}
    )
    expect(page.locator("#rows").get_by_text("No pneumonia seen")).to_be_visible()
    complaints.clear()  # the failing stream was meant


def test_a_page_whose_session_is_over_shows_no_images_any_more(page: Page, site: Site, complaints: list[str]) -> None:
    page.route("**/live", lambda route: route.abort())
    site.fake.add_study("film.png")
    page.reload()
    expect(page.get_by_text("film.png")).to_be_visible()
    site.fake.tokens.clear()
    expect(page).to_have_url(f"{site.origin}/sign-in")
    complaints.clear()  # the failing stream was meant


def test_a_page_whose_session_is_ended_elsewhere_leaves_at_once(page: Page, site: Site, complaints: list[str]) -> None:
    site.fake.add_study("film.png")
    page.reload()
    heard(site)
    page.wait_for_timeout(300)
    site.fake.end_sessions()
    expect(page).to_have_url(f"{site.origin}/sign-in", timeout=1000)
    complaints.clear()  # the refused request was meant


def test_an_answer_comes_while_its_study_is_open(page: Page, site: Site) -> None:
    job = site.fake.add_job(site.fake.add_study(), JobState.RUNNING)
    page.goto(f"{site.origin}/studies/{job.study_id}")
    expect(page.locator("#said")).to_contain_text("Working")
    expect(page.locator("#toggle")).to_be_disabled()
    site.fake.succeed(job, answer("pneumonia", 0.91))
    expect(page.locator("#said")).to_contain_text("Pneumonia suspected")
    expect(page.locator("#toggle")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"#run-{job.id}")).to_contain_text("Pneumonia suspected")


def test_the_viewer_obeys_keys_and_mouse(page: Page, site: Site) -> None:
    study = site.fake.add_study()
    site.fake.succeed(site.fake.add_job(study), answer("pneumonia", 0.91))
    page.goto(f"{site.origin}/studies/{study.id}")
    canvas, toggle, told = page.locator("#canvas"), page.locator("#toggle"), page.locator("#hud-window")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    with_map = canvas.screenshot()
    page.keyboard.press("Space")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(100)
    without_map = canvas.screenshot()
    assert with_map != without_map
    expect(told).to_contain_text("W 256 L 128")
    page.keyboard.press("2")
    expect(told).to_contain_text("W 150 L 90")
    page.keyboard.press("0")
    expect(told).to_contain_text("W 256 L 128")
    before = told.inner_text()
    canvas.hover()
    page.mouse.wheel(0, -400)
    expect(told).not_to_have_text(before)
    page.keyboard.press("0")
    page.mouse.down()
    page.mouse.move(500, 500)
    page.mouse.up()
    expect(told).not_to_contain_text("W 256 L 128")


def settled(page: Page, script: str) -> list[int]:
    """What `script` reads from the canvas once it reads the same twice, so that no change of its size is under way."""
    before: list[int] = []
    for _ in range(100):
        found = page.evaluate(script)
        if found == before and found[0] > 0:
            break
        before = found
        page.wait_for_timeout(100)
    return found


CORNER = """() => {
  const canvas = document.getElementById("canvas"), { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const bytes = copy.getImageData(0, 0, width, height).data;
  const drawn = (x, y) => bytes[4 * (y * width + x) + 3] > 0;
  const first = (length, at) => Array.from({ length }, (_, each) => at(each)).indexOf(true);
  return [first(width, (x) => drawn(x, height >> 1)), first(height, (y) => drawn(width >> 1, y))];
}"""


@pytest.mark.parametrize("by", ["shift", "middle button"])
def test_the_image_is_moved_by_the_mouse(page: Page, site: Site, by: str) -> None:
    study = site.fake.add_study(image=grey_png(200), shape=[200, 200])
    page.goto(f"{site.origin}/studies/{study.id}")
    canvas = page.locator("#canvas")
    expect(canvas).to_have_attribute("data-drawn", "yes")
    left, top = settled(page, CORNER)
    box = canvas.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    button: Any = "left" if by == "shift" else "middle"
    if by == "shift":
        page.keyboard.down("Shift")
    page.mouse.down(button=button)
    page.mouse.move(middle[0] + 60, middle[1] + 40, steps=4)
    page.mouse.up(button=button)
    page.keyboard.up("Shift")
    page.wait_for_function(f"({CORNER})()[0] !== {left}")
    moved = settled(page, CORNER)
    assert (moved[0] - left, moved[1] - top) == (pytest.approx(60, abs=1), pytest.approx(40, abs=1))
    expect(page.locator("#hud-window")).to_contain_text("W 256 L 128")  # that is what a plain drag changes


EXTENT = """() => {
  const canvas = document.getElementById("canvas"), { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const bytes = copy.getImageData(0, 0, width, height).data;
  const drawn = (x, y) => bytes[4 * (y * width + x) + 3] > 0;
  const count = (length, at) => Array.from({ length }, (_, each) => at(each)).filter(Boolean).length;
  return [count(width, (x) => drawn(x, height >> 1)), count(height, (y) => drawn(width >> 1, y))];
}"""


@pytest.mark.parametrize(("spacing_mm", "ratio"), [([0.2, 0.1], 2.0), ([0.1, 0.2], 0.5), (None, 1.0)])
def test_pixels_that_are_not_square_are_drawn_to_scale(
    page: Page, site: Site, spacing_mm: list[float] | None, ratio: float
) -> None:
    """As high for their width as they were in the patient."""
    study = site.fake.add_study(image=grey_png(200), shape=[200, 200], spacing_mm=spacing_mm)
    page.goto(f"{site.origin}/studies/{study.id}")
    expect(page.locator("#canvas")).to_have_attribute("data-drawn", "yes")
    across, down = settled(page, EXTENT)
    assert down / across == pytest.approx(ratio, rel=0.01)


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


def test_review_and_neighbours_by_keyboard(page: Page, site: Site) -> None:
    older, newer = site.fake.add_study("older.png"), site.fake.add_study("newer.png")
    job = site.fake.succeed(site.fake.add_job(newer), answer("pneumonia", 0.91))
    page.goto(f"{site.origin}/studies/{newer.id}")
    page.get_by_label("Comment").fill("a clear case, d and j in it")
    page.locator("#canvas").click()
    page.keyboard.press("a")
    expect(page.locator("#review")).to_contain_text("Agreed by doctor")
    expect(page.get_by_role("button", name="Agree a", exact=True)).to_have_attribute("aria-pressed", "true")
    review = site.fake.jobs[job.id].review
    assert review is not None
    assert review.comment == "a clear case, d and j in it"
    page.keyboard.press("j")
    expect(page).to_have_title("older.png · Lightbox")
    page.wait_for_load_state()
    page.keyboard.press("k")
    expect(page).to_have_title("newer.png · Lightbox")
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert older.id


def test_a_swap_leaves_the_focus_in_its_row(page: Page, site: Site) -> None:
    job = site.fake.add_job(site.fake.add_study(), JobState.RUNNING)
    page.reload()
    page.get_by_role("button", name="Cancel").focus()
    page.wait_for_timeout(800)  # the page has asked once by itself meanwhile
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    heard(site)
    site.fake.succeed(job, answer())
    expect(page.get_by_text("Pneumonia suspected")).to_have_count(2)
    expect(page.locator(f"#row-{job.study_id} td.reference a")).to_be_focused()


def test_rows_are_selected_run_and_deleted_by_keyboard(page: Page, site: Site) -> None:
    for name in ("one.png", "two.png"):
        site.fake.succeed(site.fake.add_job(site.fake.add_study(name)), answer())
    page.reload()
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#selected")).to_have_text("1 selected")
    page.get_by_label("Select all images").check()
    expect(page.locator("#selected")).to_have_text("2 selected")
    page.get_by_role("button", name="Run pneumonia on all selected").click()
    expect(page.locator("#rows .state.queued")).to_have_count(2)
    page.wait_for_load_state()
    page.get_by_label("Select all images").check()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No images yet")).to_be_visible()


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


def serious(page: Page) -> list[str]:
    response = Axe().run(page).response
    return [
        f"{page.url} {violation['id']}: {json.dumps([node['html'][:200] for node in violation['nodes'][:3]])}"
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


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
