"""Models that outline: the mask over image and volume in a real browser, what was measured, and what is not said."""

import gzip
import io
from collections.abc import Iterator

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from portal_wire.contract import Job, JobState, Study
from tests.ui_service.browsing import context_for, serious, sign_in
from tests.ui_service.conftest import Site, Visitor
from tests.ui_service.fake_answers import answer, outlined
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import outliner
from tests.ui_service.test_volume_page import add_volume
from ui_service.comparison import columns_of, standings

ROWS, COLUMNS = 300, 400
KNOWN = ("GPU stall", "GL Driver", "willReadFrequently")  # drivers tell of slow reads, which are the tests' own
RIGHT, LEFT = (86, 180, 233), (230, 159, 0)  # the colours of the first two structures


def png(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def lungs() -> NDArray[np.uint8]:
    """The right lung is high and on the picture's left; the left one low."""
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[30:250, 40:160] = 1
    mask[150:250, 240:360] = 2
    return mask


def measured(mask: NDArray[np.uint8], area: bool = False) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for index, label in ((1, "right_lung"), (2, "left_lung")):
        count = int((mask == index).sum())
        sizes = {"pixels": count, "area_mm2": count * 0.25 if area else None, "share": count / mask.size}
        found.append({"label": label} | sizes)
    return found


def add_film(fake: FakeApp, area: bool = False) -> tuple[Study, Job]:
    """A black film with a mask."""
    study = fake.add_study("film.png", png(np.zeros((ROWS, COLUMNS), np.uint8)), shape=[ROWS, COLUMNS])
    job = fake.add_job(study, model="lung-field")
    return study, fake.outline(job, outlined(*measured(lungs(), area)), {"mask.png": png(lungs())})


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = context_for(browser)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((site.origin, "data:")) else heard.append(asked.url))
    sign_in(page, site)
    yield page
    context.close()
    assert [line for line in heard if not any(known in line for known in KNOWN)] == []


def seen(page: Page, column: int, row: int) -> tuple[int, ...]:
    """Red, green, blue where the canvas shows this pixel of the film."""
    found = page.locator("canvas[data-src]").first.evaluate(
        """(canvas, [column, row, columns, rows]) => {
            const scale = Math.min(canvas.width / columns, canvas.height / rows);
            const x = canvas.width / 2 + (column - columns / 2) * scale;
            const y = canvas.height / 2 + (row - rows / 2) * scale;
            return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
        }""",
        [column, row, COLUMNS, ROWS],
    )
    return tuple(found[:3])


def tinted(page: Page, column: int, row: int) -> tuple[int, ...] | None:
    """Which of the two colours the black film is tinted with there, or None."""
    page.wait_for_timeout(100)  # a frame
    red, green, blue = seen(page, column, row)
    if (red, green, blue) == (0, 0, 0):
        return None
    return RIGHT if blue > red else LEFT


def test_a_mask_lies_on_its_film_with_right_and_left_in_their_places(page: Page, site: Site, fake: FakeApp) -> None:
    study, _ = add_film(fake)
    page.goto(f"{site.origin}/studies/{study.id}")
    toggle = page.get_by_role("button", name="Mask")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    places = ((100, 60), (300, 200), (300, 60), (100, 280), (200, 200))
    assert [tinted(page, *place) for place in places] == [RIGHT, LEFT, None, None, None]
    expect(page.locator("#legend")).to_be_hidden()
    page.keyboard.press("Space")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert tinted(page, 100, 60) is None
    page.keyboard.press("Space")
    page.get_by_label("Show right lung").uncheck()
    assert [tinted(page, *place) for place in places[:2]] == [None, LEFT]
    page.get_by_label("Opacity").fill("0")
    assert tinted(page, 300, 200) is None
    assert serious(page) == []


def test_the_structure_under_the_pointer_is_named(page: Page, site: Site, fake: FakeApp) -> None:
    study, _ = add_film(fake)
    page.goto(f"{site.origin}/studies/{study.id}")
    expect(page.get_by_role("button", name="Mask")).to_be_enabled()
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = min(box["width"] / COLUMNS, box["height"] / ROWS)
    middle, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for column, row, name in ((100, 100, "Right lung"), (300, 200, "Left lung")):
        page.mouse.move(middle + (column - COLUMNS / 2) * scale, height + (row - ROWS / 2) * scale)
        expect(page.locator("#hud-structure")).to_contain_text(name)
    page.mouse.move(middle, height)
    expect(page.locator("#hud-structure")).to_have_text("")


def test_a_mask_of_another_size_is_never_drawn(page: Page, site: Site, fake: FakeApp) -> None:
    study, job = add_film(fake)
    fake.files[job.id, "mask.png"] = png(lungs().T.copy())
    page.goto(f"{site.origin}/studies/{study.id}")
    expect(page.locator("#toggle")).to_have_attribute("title", "What belongs over the image could not be loaded.")
    expect(page.locator("#toggle")).to_be_disabled()
    assert tinted(page, 100, 60) is None


def test_a_new_answer_takes_the_old_mask_away(page: Page, site: Site, fake: FakeApp) -> None:
    """A stale mask on the next answer."""
    study, _ = add_film(fake)
    running = fake.add_job(study, JobState.RUNNING, model="lung-field")
    page.goto(f"{site.origin}/studies/{study.id}?job={running.id}")
    expect(page.locator("#toggle")).to_be_disabled()
    mirrored = lungs()[:, ::-1].copy()
    fake.outline(running, outlined(*measured(mirrored)), {"mask.png": png(mirrored)})
    expect(page.get_by_role("button", name="Mask")).to_have_attribute("aria-pressed", "true")
    assert tinted(page, 300, 60) == RIGHT and tinted(page, 100, 60) is None


def test_a_mask_and_a_heatmap_stand_side_by_side(page: Page, site: Site, fake: FakeApp) -> None:
    study = fake.add_study("film.png", png(np.zeros((ROWS, COLUMNS), np.uint8)), shape=[ROWS, COLUMNS])
    fake.models.append(outliner("lung-field"))
    mask = fake.add_job(study, model="lung-field", purpose="compare")
    fake.outline(mask, outlined(*measured(lungs())), {"mask.png": png(lungs())})
    fake.succeed(fake.add_job(study, purpose="compare"), answer())
    page.goto(f"{site.origin}/studies/{study.id}/compare")
    expect(page.locator("#toggle-name")).to_have_text("Overlays")
    assert tinted(page, 100, 60) == RIGHT
    expect(page.get_by_text("Structures are outlined: look at the masks")).to_be_visible()
    assert serious(page) == []


def colour(screenshot: bytes) -> float:
    """How far from grey the upper half of a picture is, on the average, without its edge, where the focus shows."""
    pixels = np.asarray(Image.open(io.BytesIO(screenshot)).convert("RGB"))
    return float(np.ptp(pixels[10 : len(pixels) // 2, 10:-10], axis=2).mean())


def test_the_mask_of_a_volume_lies_over_it(page: Page, site: Site, fake: FakeApp) -> None:
    study = add_volume(fake)
    mask = np.zeros((30, 24, 20), np.uint8)
    mask[18:28, 4:20, 4:16] = 1  # the first axis runs to the right
    mask[2:12, 4:20, 4:16] = 2
    labels = gzip.compress(nib.Nifti1Image(mask, np.diag([2.0, 2.0, 3.0, 1.0])).to_bytes())
    sizes = {"voxels": 1920, "volume_ml": 23.04, "mean_hu": 300.0, "share": 0.1333, "extent_mm": [20.0, 32.0, 36.2]}
    result = outlined(sizes | {"label": "liver"}, sizes | {"label": "spleen", "mean_hu": -100.0})
    job = fake.add_job(study, model="ct-tissue")
    fake.outline(job, result, {"combined_labels.nii.gz": labels})
    page.goto(f"{site.origin}/studies/{study.id}")
    page.locator("canvas[data-mask=shown]").wait_for(timeout=30_000)
    page.get_by_role("button", name="Axial").click()
    canvas = page.locator("#canvas")
    box = canvas.bounding_box()
    assert box is not None
    middle, height = box["width"] / 2, box["height"] / 2
    for shift, text in ((-200, "300 HU · 1 Liver"), (200, "-100 HU · 2 Spleen")):  # the patient's right is on the left
        canvas.click(position={"x": middle + shift, "y": height})
        expect(page.locator("#hud-place")).to_contain_text(text)
    shown = canvas.screenshot()
    page.get_by_label("Show spleen").uncheck()
    page.wait_for_timeout(500)
    without = canvas.screenshot()
    assert without != shown
    canvas.focus()  # in a box, space is the box's own key
    page.keyboard.press("Space")
    page.locator("canvas[data-mask=hidden]").wait_for()
    page.wait_for_timeout(500)
    hidden = canvas.screenshot()
    assert hidden not in (shown, without)
    seen = {}
    for percent in ("90", "20", "0"):
        page.get_by_label("Opacity of the mask").fill(percent)  # which shows it again
        page.locator("canvas[data-mask=shown]").wait_for()
        page.wait_for_timeout(500)
        seen[percent] = canvas.screenshot()
    assert colour(seen["90"]) > colour(seen["20"]) + 5 > colour(seen["0"]) + 10
    assert colour(seen["0"]) == pytest.approx(colour(hidden), abs=0.1)
    expect(page.locator("#hud-window")).to_have_text("W 400 L 40")
    expect(page.get_by_role("row", name="Spleen")).to_contain_text("−100")  # noqa: RUF001
    expect(page.get_by_role("row", name="Spleen")).to_contain_text("20 × 32 × 36 mm")  # noqa: RUF001
    assert page.locator(".measurements").evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    assert serious(page) == []


def test_the_card_says_what_was_measured_and_no_probability(doctor: Visitor, fake: FakeApp) -> None:
    study, job = add_film(fake, area=True)
    text = doctor.get(f"/studies/{study.id}").text
    for piece in ("Right lung and left lung outlined", "mm²", "6,600", "% of image", "Measurements (CSV)"):
        assert piece in text, piece
    for piece in ("robability", "operating point", "suspected", "What the image shows", "seen"):
        assert piece not in text.split('id="answer"')[1].split("Runs on this")[0], piece
    assert f"/jobs/{job.id}/artifacts/measurements.csv" in text


def test_pixels_are_said_to_be_pixels_where_the_spacing_is_not_known(doctor: Visitor, fake: FakeApp) -> None:
    study, _ = add_film(fake)
    text = doctor.get(f"/studies/{study.id}").text
    assert "does not say how large a pixel is" in text and "26,400" in text and "mm²" not in text


def test_a_structure_that_is_not_there_is_said_to_be_not_found(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    result = outlined(
        {"label": "right_lung", "pixels": 10, "share": 0.1}, {"label": "left_lung", "pixels": 0, "share": 0}
    )
    fake.outline(fake.add_job(study, model="lung-field"), result, {})
    text = doctor.get(f"/studies/{study.id}").text
    assert "Right lung outlined" in text and "not found" in text
    assert "1 of 2 structures outlined" in doctor.get("/").text
    nothing = outlined({"pixels": 0, "share": 0})
    fake.outline(fake.add_job(study, model="lung-field"), nothing, {})
    assert "Nothing outlined" in doctor.get("/").text


def test_a_measurement_hides_no_finding(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), answer("pneumonia", 0.91))
    fake.outline(fake.add_job(study, model="lung-field"), outlined({"pixels": 9, "share": 0.1}), {})
    for path in ("/", f"/studies/{study.id}"):
        assert "Pneumonia suspected" in doctor.get(path).text, path


def test_a_zip_of_selected_images_has_the_newest_answer_of_each_model(doctor: Visitor, fake: FakeApp) -> None:
    first, second = fake.add_study(), fake.add_study()
    finding = fake.succeed(fake.add_job(first), answer())
    fake.outline(fake.add_job(first, model="lung-field"), outlined({"pixels": 9, "share": 0.1}), {})
    newer = fake.outline(fake.add_job(first, model="lung-field"), outlined({"pixels": 8, "share": 0.1}), {})
    other = fake.outline(fake.add_job(second, model="lung-field"), outlined({"pixels": 7, "share": 0.1}), {})
    fake.add_job(second, JobState.RUNNING)
    assert doctor.post("/selection/archive", {"study": [second.id, first.id]}).status_code == 200
    assert fake.archived_as == {}
    nameless = "/selection/archive?identity=removed"
    assert doctor.post(nameless, {"study": [first.id]}).status_code == 200 and nameless in doctor.get("/").text
    assert fake.archived_as == {"identity": "removed"}
    assert doctor.post("/selection/archive", {"study": [second.id, first.id]}).status_code == 200
    assert fake.archived[0] == other.id and sorted(fake.archived[1:]) == sorted([finding.id, newer.id])


def test_masks_neither_agree_nor_disagree(fake: FakeApp) -> None:
    study = fake.add_study()
    jobs = [
        fake.outline(
            fake.add_job(study, model="lung-field", version=version), outlined({"pixels": 9, "share": 0.1}), {}
        )
        for version in ("1", "2")
    ]
    (standing,) = standings(columns_of(jobs, [outliner("lung-field")]))
    assert (standing.verdict, standing.camps, standing.measured) == ("none", [], jobs)
    assert "agree:" not in standing.sentence


def test_a_model_that_outlines_has_a_page_without_calibration(doctor: Visitor, fake: FakeApp) -> None:
    fake.models = [outliner("lung-field")]
    assert "outlines right lung, left lung" in doctor.get("/models").text
    assert "site-calibration" not in doctor.get("/models/lung-field").text
    assert not any("site-calibration" in call for call in fake.calls)


def test_a_model_of_fixed_rules_has_no_network_to_show(doctor: Visitor, fake: FakeApp) -> None:
    model = outliner("ct-tissue", "volume")
    fake.models = [model.model_copy(update={"versions": [model.versions[0].model_copy(update={"parameters": 0})]})]
    page = doctor.get("/models/ct-tissue").text
    assert "Fixed rules: there is no network" in page and "layer by layer" not in page


def test_a_volume_with_a_mask_can_be_compared_without_breaking(doctor: Visitor, fake: FakeApp) -> None:
    study = add_volume(fake)
    fake.models = [outliner("ct-tissue", "volume")]
    job = fake.add_job(study, model="ct-tissue", purpose="compare")
    fake.outline(job, outlined({"voxels": 9, "volume_ml": 0.1, "share": 0.1}), {"combined_labels.nii.gz": b"x"})
    page = doctor.get(f"/studies/{study.id}/compare")
    assert page.status_code == 200 and "Structure 1 outlined" not in page.text
    assert "1 of 1 structures outlined" in page.text and "Compare models" not in doctor.get(f"/studies/{study.id}").text
