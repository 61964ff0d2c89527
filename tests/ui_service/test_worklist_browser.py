"""The worklist in a real browser: uploads, live rows, and what it does when the portal is busy or gone."""

import re

from playwright.sync_api import Page, expect

from portal_wire.contract import Job, JobState
from portal_wire.errors import TooManyRequests
from tests.ui_service.browsing import files, forgive_refusals, heard
from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import answer, grey_png


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
