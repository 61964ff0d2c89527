"""What a doctor sees, in a real browser through NGINX. A CSP violation or a console error fails any of these."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.bad_input.dicoms import SCRIPTS, scripts
from tests.end_to_end.doctor import ILL, PHOTOGRAPH, WELL, Doctor
from tests.end_to_end.portal import Portal

UNFINISHED = re.compile("Waiting|Working")
# Chromium notes every answer of 422 so; it is how a refused file is told.
REFUSED = "Failed to load resource: the server responded with a status of 422 ()"
# What the worklist says of each film, and then its page.
SAID = {
    "ill.jpg": ("Pneumonia suspected", "Pneumonia suspected"),
    "well.jpg": ("No pneumonia seen", "No pneumonia seen"),
    "photograph.jpg": ("Not answered", "Not answered: this does not look like a frontal chest X-ray of a child"),
}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    # The portal's own authority is not in the browser's store; test_api walks the same address with it checked.
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, portal: Portal) -> Iterator[Page]:
    """A signed-in worklist. What the console complains about fails the test."""
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, portal)
    yield page
    assert [each for each in complaints if each != REFUSED] == []


def sign_in(page: Page, portal: Portal) -> None:
    page.goto(portal.url)
    page.get_by_label("Name").fill("doctor")
    page.get_by_label("Password").fill(portal.doctor_password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three real pictures: an X-ray with pneumonia, one without, and what is no X-ray."""
    folder = tmp_path_factory.mktemp("films")
    for name, film in zip(SAID, (ILL, WELL, PHOTOGRAPH), strict=True):
        (folder / name).write_bytes(film.read_bytes())
    return [folder / name for name in SAID]


@pytest.fixture
def answered(doctor: Doctor) -> list[str]:
    """Two studies of this test's own, with their answers."""
    made = [doctor.upload(film.read_bytes()) for film in (ILL, WELL)]
    for _, job in made:
        assert doctor.wait(job["id"])["state"] == "succeeded"
    return [str(study["id"]) for study, _ in made]


def test_a_doctor_drops_three_images_and_reads_the_answers(page: Page, films: list[Path]) -> None:
    page.locator("#files").set_input_files(films)
    rows = page.locator("table.worklist tbody tr")
    mine = [rows.filter(has_text=name) for name in SAID]
    for row in mine:
        expect(row).to_have_count(1)
    marker = page.evaluate("window.notReloaded = Math.random()")
    for row, (said, _) in zip(mine, SAID.values(), strict=True):
        expect(row.locator(".state.succeeded")).to_be_visible(timeout=30_000)
        expect(row.locator("[id^=answer-]")).to_contain_text(said)
    assert page.evaluate("window.notReloaded") == marker

    addresses = [str(row.locator(".reference a").get_attribute("href")) for row in mine]
    for address, (_, said) in zip(reversed(addresses), reversed(SAID.values()), strict=True):
        page.goto(urljoin(page.url, address))
        expect(page.locator("#said")).to_contain_text(said)
    expect(page.locator("#canvas[data-drawn=yes]")).to_be_visible()
    toggle = page.locator("#toggle")
    expect(toggle).to_be_enabled()
    before = toggle.get_attribute("aria-pressed")
    bare = _pixels(page)
    page.keyboard.press("Space")
    expect(toggle).not_to_have_attribute("aria-pressed", before or "")
    page.wait_for_timeout(200)
    assert _pixels(page) != bare

    with page.expect_download() as download:
        page.get_by_role("link", name="Everything (zip)").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        result = json.loads(archive.read(next(name for name in names if name.endswith("result.json"))))
    assert {"heatmap.png", "overlay.png", "result.json"} <= {name.rsplit("/", 1)[-1] for name in names}
    assert result["state"] == "succeeded" and result["result"]["findings"]


def test_states_change_while_the_page_is_looked_at(page: Page, portal: Portal) -> None:
    """The ML tier is held, so the row must stand as waiting; released, it must finish by itself."""
    with portal.held("ml"):
        page.get_by_role("button", name="Sample film 1").click()
        first = page.locator("table.worklist tbody tr").first
        expect(first.locator(".state")).to_have_text(UNFINISHED)
        expect(first.locator("[id^=probability-]")).not_to_contain_text("0.")
    expect(first.locator(".state.succeeded")).to_be_visible(timeout=30_000)


def test_a_page_still_finishes_when_its_stream_is_cut(context: BrowserContext, portal: Portal) -> None:
    page = context.new_page()
    page.route("**/live**", lambda route: route.abort())
    sign_in(page, portal)
    page.get_by_role("button", name="Sample film 2").click()
    expect(page.locator("table.worklist tbody tr").first.locator(".state.succeeded")).to_be_visible(timeout=30_000)


def test_a_refused_file_says_why_and_stays_until_dismissed(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "scan.png"
    letter.write_bytes(b"%PDF-1.7 a letter, not a film")
    with page.expect_response("**/uploads") as response:
        page.locator("#files").set_input_files(letter)
    assert response.value.status == 422
    line = page.locator("#uploads .refused")
    expect(line).to_contain_text("scan.png")
    line.get_by_role("button", name="Dismiss").click()
    expect(line).to_have_count(0)


def test_a_review_is_kept(page: Page, portal: Portal, answered: list[str]) -> None:
    page.goto(f"{portal.url}/studies/{answered[0]}")
    page.get_by_label("Comment").fill("Seen with a colleague.")
    page.keyboard.press("Tab")
    page.locator("#verdict-disagree").click()
    expect(page.locator("#review")).to_contain_text("Disagreed by doctor")
    page.reload()
    expect(page.get_by_label("Comment")).to_have_value("Seen with a colleague.")


def test_selected_images_run_again_together(page: Page, answered: list[str]) -> None:
    page.reload()
    for study in answered:
        page.locator(f"#pick-{study}").check()
    expect(page.locator("#selected")).to_have_text("2 selected")
    page.get_by_role("button", name="on all selected").click()
    for study in answered:
        expect(page.locator(f"#row-{study} .state.succeeded")).to_be_visible(timeout=30_000)


def test_signing_out_ends_the_session_on_the_server(page: Page, context: BrowserContext, portal: Portal) -> None:
    stolen = context.cookies()
    with page.expect_response("**/session"):  # the page asks once when its stream opens; then nothing is on its way
        page.reload()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    context.add_cookies(stolen)  # type: ignore[arg-type]
    page.goto(portal.url)
    expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
def test_pages_are_usable_by_everyone_at_both_sizes(
    page: Page, portal: Portal, answered: list[str], size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for path in ("/", f"/studies/{answered[0]}", "/models", "/models/pneumonia"):
        page.goto(f"{portal.url}{path}")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in ("serious", "critical")]
        assert serious == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        expect(page.get_by_text("Research use. Not for diagnosis.")).to_be_visible()


def _pixels(page: Page) -> str:
    return str(page.locator("#canvas").evaluate("canvas => canvas.toDataURL()"))


def test_scripts_in_names_are_text(page: Page, portal: Portal, doctor: Doctor) -> None:
    """In a file's name, a patient's reference and every tag; `page` fails for what the content policy stopped, too."""
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    studies = []
    for number, script in enumerate(SCRIPTS):
        file = {"file": (f"{script}.dcm", scripts(), "application/dicom")}
        form = {"patient_reference": script}
        studies += doctor.call("POST", "/v1/studies", files=file, data=form).json()["studies"]
        page.goto(f"{portal.url}/studies/{studies[number]['id']}")
        expect(page.locator("main")).to_contain_text(script)
    page.goto(portal.url)
    for script in SCRIPTS:
        expect(page.locator("table.worklist")).to_contain_text(script)
    assert page.locator("[onerror], [onload]").count() == 0
    assert opened == []
    for study in studies:
        doctor.call("DELETE", f"/v1/studies/{study['id']}")
