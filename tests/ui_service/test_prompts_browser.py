"""The outline tool over an image in a real browser: by mouse, finger and keyboard, with undo and correction."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from portal_wire.contract import Job, JobState, Study
from portal_wire.errors import Unprocessable
from tests.ui_service.browsing import NARROW, context_for, serious, sign_in
from tests.ui_service.conftest import Site
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import outliner
from tests.ui_service.fake_prompts import filled, outliner_of_boxes
from tests.ui_service.test_masks import COLUMNS, KNOWN, LEFT, RIGHT, ROWS, add_film, png, tinted

REFUSED = ("422", "net::ERR_FAILED", "[object Event]")  # noted of each request that was refused, or stream cut off


@pytest.fixture
def fake(fake: FakeApp) -> FakeApp:
    """App with a model that takes boxes."""
    fake.models += [outliner_of_boxes(), outliner("lung-field")]
    return fake


def watched(browser: Browser, site: Site, known: tuple[str, ...] = (), **options: object) -> Iterator[Page]:
    """A page of a doctor who has signed in; what its console complains of fails the test."""
    context = context_for(browser, **options)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    sign_in(page, site)
    yield page
    context.close()
    assert [line for line in heard if not any(each in line for each in (*KNOWN, *REFUSED, *known))] == []


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    yield from watched(browser, site)


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Page]:
    yield from watched(browser, site, viewport=NARROW, has_touch=True)


def black_film(fake: FakeApp, name: str = "film.png") -> Study:
    return fake.add_study(name, png(np.zeros((ROWS, COLUMNS), np.uint8)), shape=[ROWS, COLUMNS])


def open_tool(page: Page, site: Site, study: Study, query: str = "") -> None:
    page.goto(f"{site.origin}/studies/{study.id}{query}")
    page.locator("#outline-toggle:enabled").wait_for()
    page.keyboard.press("o")
    expect(page.locator("#outline")).to_be_visible()


def on_screen(page: Page, column: float, row: float) -> tuple[float, float]:
    """Where the page shows the corner of this pixel of the film."""
    frame = page.locator("#canvas").bounding_box()
    assert frame is not None
    scale = min(frame["width"] / COLUMNS, frame["height"] / ROWS)
    middle, height = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    return middle + (column - COLUMNS / 2) * scale, height + (row - ROWS / 2) * scale


def draw(page: Page, left: int, top: int, right: int, bottom: int) -> None:
    """A box by mouse, from inside its first pixel to inside its last."""
    page.mouse.move(*on_screen(page, left + 0.5, top + 0.5))
    page.mouse.down()
    page.mouse.move(*on_screen(page, right + 0.5, bottom + 0.5), steps=3)
    page.mouse.up()


def newest(fake: FakeApp) -> Job:
    return list(fake.jobs.values())[-1]


def boxes_of(job: Job) -> list[tuple[list[float], int]]:
    return [(prompt.box, prompt.label) for prompt in job.prompts]


def eventually(page: Page, true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not become true")


def test_boxes_with_two_labels_are_outlined_undone_and_found_again(page: Page, site: Site, fake: FakeApp) -> None:
    study = black_film(fake)
    open_tool(page, site, study)
    state = page.locator("#outline-state")
    page.get_by_label("Name of this label").fill("Liver")
    draw(page, 50, 100, 120, 200)
    expect(state).to_have_text("Outlined: Liver.")
    first = newest(fake)
    assert boxes_of(first) == [([50, 100, 120, 200], 1)]
    page.get_by_role("button", name="New label").click()
    page.keyboard.type("Spleen")
    draw(page, 250, 100, 330, 200)
    expect(state).to_have_text("Outlined: Liver, Spleen.")
    assert boxes_of(newest(fake)) == [([50, 100, 120, 200], 1), ([250, 100, 330, 200], 2)]
    assert [tinted(page, *place) for place in ((80, 150), (290, 150), (200, 150))] == [RIGHT, LEFT, None]
    expect(page.get_by_role("button", name="Box 2 of 2, Spleen")).to_be_focused()
    expect(page.get_by_role("row", name="Spleen")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("z")
    expect(page.locator(".box:not(.draft)")).to_have_count(1)
    page.wait_for_url(f"**/studies/{study.id}?job={first.id}")
    expect(page.get_by_role("button", name="Mask")).to_be_enabled()
    assert [tinted(page, *place) for place in ((80, 150), (290, 150))] == [RIGHT, None]
    page.reload()  # the boxes come back with their run
    expect(page.get_by_role("button", name="Box 1 of 1, Liver: columns 51 to 121, rows 101 to 201")).to_be_visible()
    page.keyboard.press("z")
    expect(
        page.get_by_text("No model has run on this image.").or_(page.get_by_text("Models were only"))
    ).to_be_visible()
    expect(page.locator(".box:not(.draft)")).to_have_count(0)


def test_a_box_of_one_image_is_never_seen_on_the_next(page: Page, site: Site, fake: FakeApp) -> None:
    """A stale box."""
    first, second = black_film(fake, "first.png"), black_film(fake, "second.png")
    open_tool(page, site, first)
    draw(page, 50, 100, 120, 200)
    expect(page.locator("#outline-state")).to_contain_text("Outlined")
    for path in (f"/studies/{second.id}", f"/studies/{second.id}?job="):
        page.goto(f"{site.origin}{path}")
        page.locator("#outline-toggle:enabled").wait_for()
        assert page.locator(".box:not(.draft)").count() == 0 and tinted(page, 80, 150) is None


def test_the_mask_of_an_earlier_box_never_stands_for_a_later_one(page: Page, site: Site, fake: FakeApp) -> None:
    """A stale result: the first run answers after the second was asked."""
    fake.fills = False
    study = black_film(fake)
    open_tool(page, site, study)
    draw(page, 50, 100, 120, 200)
    eventually(page, lambda: len(fake.jobs) == 1)
    earlier = newest(fake)
    expect(page.locator("#answer")).to_have_attribute("data-job", earlier.id)
    draw(page, 250, 100, 330, 200)
    eventually(page, lambda: len(fake.jobs) == 2)
    later = newest(fake)
    expect(page.locator("#answer")).to_have_attribute("data-job", later.id)
    assert fake.jobs[earlier.id].state is JobState.CANCELLED
    filled(fake, earlier)
    page.wait_for_timeout(600)
    assert tinted(page, 80, 150) is None
    filled(fake, later)
    expect(page.locator("#outline-state")).to_contain_text("Outlined")
    assert [tinted(page, *place) for place in ((80, 150), (290, 150))] == [RIGHT, RIGHT]


@pytest.mark.parametrize("streams", [True, False])
def test_what_takes_longer_than_a_second_shows_how_far_it_is(
    page: Page, site: Site, fake: FakeApp, streams: bool
) -> None:
    fake.fills = False
    if not streams:
        page.route("**/live", lambda route: route.abort())
    open_tool(page, site, black_film(fake))
    draw(page, 50, 100, 120, 200)
    eventually(page, lambda: len(fake.jobs) == 1)
    expect(page.locator("#outline-progress")).to_be_visible()
    expect(page.locator("#outline-state")).to_have_text("Outlining …")
    if streams:
        fake.change(newest(fake), state=JobState.RUNNING, progress=0.5)
        expect(page.locator("#outline-progress")).to_have_attribute("value", "0.5")
    filled(fake, newest(fake))
    expect(page.locator("#outline-state")).to_have_text("Outlined: Object 1.")
    expect(page.locator("#outline-progress")).to_be_hidden()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("button", name="Accept")).to_have_attribute("aria-pressed", "true")
    review = newest(fake).review
    assert review is not None and review.verdict == "agree"


def test_the_keyboard_draws_moves_and_sizes_a_box(page: Page, site: Site, fake: FakeApp) -> None:
    open_tool(page, site, black_film(fake))
    page.keyboard.press("n")
    box = page.get_by_role("button", name="Box 1 of 1, Object 1")
    expect(box).to_be_focused()
    expect(page.locator("#outline-state")).to_have_text("A box stands in the middle. Enter outlines it.")
    assert not fake.jobs
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#outline-state")).to_have_text("Outlined: Object 1.")
    ((drawn, _),) = boxes_of(newest(fake))
    middle = (drawn[0] + drawn[2] + 1) / 2, (drawn[1] + drawn[3] + 1) / 2
    assert middle == (COLUMNS / 2 + 3, ROWS / 2 + 0.5)
    expect(box).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#outline-state")).to_contain_text(f"columns {drawn[0]:.0f} to {drawn[2]:.0f}")  # is announced
    eventually(page, lambda: len(fake.jobs) == 2)  # after a pause, without Enter
    assert boxes_of(newest(fake))[0][0] == [drawn[0] - 1, drawn[1], drawn[2] - 1, drawn[3]]
    expect(page.locator("#outline-state")).to_have_text("Outlined: Object 1.")
    page.keyboard.press("Delete")
    expect(page.locator(".box:not(.draft)")).to_have_count(0)
    expect(page.locator("#answer")).not_to_have_attribute("data-job", newest(fake).id)


def test_the_keyboards_box_lies_in_the_middle_while_the_page_is_laid_out_anew(
    page: Page, site: Site, fake: FakeApp
) -> None:
    """The canvas has its new height at once, the picture in it a frame later; the key may come between."""
    open_tool(page, site, black_film(fake))
    page.evaluate("""() => {
        document.getElementById("canvas").style.flex = "0 0 55%";
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "n", bubbles: true }));
    }""")
    page.keyboard.press("Enter")
    expect(page.locator("#outline-state")).to_have_text("Outlined: Object 1.")
    ((drawn, _),) = boxes_of(newest(fake))
    assert ((drawn[0] + drawn[2] + 1) / 2, (drawn[1] + drawn[3] + 1) / 2) == (COLUMNS / 2, ROWS / 2)


def test_a_box_is_drawn_anew_in_its_place_and_sized_by_its_corner(page: Page, site: Site, fake: FakeApp) -> None:
    open_tool(page, site, black_film(fake))
    draw(page, 50, 100, 120, 200)
    expect(page.locator("#outline-state")).to_contain_text("Outlined")
    page.get_by_role("button", name="Redraw").click()
    draw(page, 60, 90, 140, 180)
    eventually(page, lambda: len(fake.jobs) == 2)
    assert boxes_of(newest(fake)) == [([60, 90, 140, 180], 1)]
    expect(page.locator("#outline-state")).to_contain_text("Outlined")
    draw(page, 140, 180, 160, 220)  # from its last corner
    eventually(page, lambda: len(fake.jobs) == 3)
    assert boxes_of(newest(fake)) == [([60, 90, 160, 220], 1)]


def test_a_finger_draws_on_a_phone(phone: Page, site: Site, fake: FakeApp) -> None:
    open_tool(phone, site, black_film(fake))
    phone.locator("#boxes").scroll_into_view_if_needed()
    ends = [
        dict(zip("xy", on_screen(phone, *place), strict=True)) for place in ((50.5, 100.5), (90, 150), (120.5, 200.5))
    ]
    touch = phone.context.new_cdp_session(phone)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [ends[0]]})
    for place in ends[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    eventually(phone, lambda: len(fake.jobs) == 1)
    (((left, top, right, bottom), _),) = boxes_of(newest(fake))
    assert np.allclose([left, top, right, bottom], [50, 100, 120, 200], atol=2)
    expect(phone.locator("#outline-state")).to_contain_text("Outlined")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(phone) == []


def test_a_refused_box_is_said_in_words_and_goes(page: Page, site: Site, fake: FakeApp) -> None:
    open_tool(page, site, black_film(fake))
    fake.broken = Unprocessable("prompts[0].box: x must lie from 0 to 399.", code="bad_prompt")
    draw(page, 50, 100, 120, 200)
    expect(page.get_by_role("alert").filter(has_text="This box does not lie in the image")).to_be_visible()
    expect(page.locator("#outline-state")).to_have_text("The box was not outlined. Please draw it again.")
    expect(page.locator(".box:not(.draft)")).to_have_count(0)
    fake.broken = None
    draw(page, 50, 100, 120, 200)
    expect(page.locator("#outline-state")).to_contain_text("Outlined")
    expect(page.locator("#problems")).to_be_empty()


def test_a_failed_outline_is_no_mask(page: Page, site: Site, fake: FakeApp) -> None:
    fake.fills = False
    open_tool(page, site, black_film(fake))
    draw(page, 50, 100, 120, 200)
    eventually(page, lambda: len(fake.jobs) == 1)
    error = {"code": "model_unavailable", "detail": "The model did not answer in time."}
    fake.change(newest(fake), state=JobState.FAILED, error=error)
    expect(page.locator("#outline-state")).to_have_text("There is no outline.")
    expect(page.locator("#answer").get_by_text("The model did not answer in time.")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_be_disabled()
    assert tinted(page, 80, 150) is None


def test_a_models_mask_is_corrected_and_its_own_is_one_key_away(page: Page, site: Site, fake: FakeApp) -> None:
    study, own = add_film(fake)
    open_tool(page, site, study)
    label = page.get_by_label("Label of the next box")
    assert label.locator("option").all_inner_texts() == ["Right lung", "Left lung", "Object 1"]
    draw(page, 20, 160, 60, 200)
    expect(page.locator("#outline-state")).to_have_text("Outlined: Object 1.")
    assert boxes_of(newest(fake)) == [([20, 160, 60, 200], 3)]  # the doctor's own come after the model's
    expect(page.get_by_role("button", name="Use as correction")).to_be_hidden()
    page.keyboard.press("Delete")
    expect(page.locator(".box:not(.draft)")).to_have_count(0)
    label.select_option("Left lung")
    draw(page, 250, 160, 390, 280)
    expect(page.locator("#outline-state")).to_have_text("Outlined: Left lung.")
    assert boxes_of(newest(fake)) == [([250, 160, 390, 280], 2)]
    assert [tinted(page, *place) for place in ((100, 60), (380, 200))] == [None, LEFT]
    page.keyboard.press("m")
    expect(page.locator("#own")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    assert [tinted(page, *place) for place in ((100, 60), (380, 200))] == [RIGHT, None]  # the model's own
    page.get_by_role("button", name="Use as correction").click()
    expect(page.get_by_text("own mask is kept beside it.")).to_be_visible()
    assert fake.jobs[own.id].correction is not None
    page.wait_for_url(f"**/studies/{study.id}?job={own.id}")
    expect(page.locator("#outline")).to_be_hidden()
    expect(page.locator("#announcer")).to_contain_text("The corrected mask is shown")
    shown = page.locator("#own").get_attribute("aria-pressed")
    page.keyboard.press("m")
    expect(page.locator("#own")).to_have_attribute("aria-pressed", "false" if shown == "true" else "true")
    assert serious(page) == []
    page.get_by_role("button", name="Undo the correction").click()
    expect(page.locator("#own")).to_be_hidden()
    assert fake.jobs[own.id].correction is None
