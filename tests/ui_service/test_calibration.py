"""A site's own calibration: everyone sees what is in force and what it changed; administrators decide."""

import re

import pytest

from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import answer
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import site_fit_of

MODEL = "/models/pneumonia"
PAGE = f"{MODEL}/versions/1/calibration"


@pytest.fixture
def admin(visitor: Visitor) -> Visitor:
    assert visitor.sign_in("admin").status_code == 303
    return visitor


def test_what_is_missing_is_told_in_numbers(admin: Visitor) -> None:
    page = admin.get(MODEL).text
    assert "The shipped values are in force." in page
    assert "normal 12, pneumonia 40" in page and "3 where the reviewer was unsure" in page
    refused = admin.post(f"{PAGE}/fit", headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "A fit needs 30 of each class. There are: normal 12." in refused.text


def test_fitted_looked_at_confirmed_and_taken_back(admin: Visitor, fake: FakeApp) -> None:
    fake.site["reviewed"] = {"normal": 45, "pneumonia": 70}
    admin.get(MODEL)
    fitted = admin.post(f"{PAGE}/fit", headers={"HX-Request": "true"}).text
    assert "<html" not in fitted
    for piece in ("not in force", "115 reviewed cases (normal 45, pneumonia 70) of 100 patients", "0.029", "0.053"):
        assert piece in fitted, piece
    assert "0.900 (0.850 to 0.940)" in fitted
    assert "calibration error of about 0.034, and seldom more than 0.050" in fitted

    asked = admin.get(f"{PAGE}/fit-0").text
    assert "Use it" in asked and "recorded with your name" in asked
    assert "it was worse in: Sensitivity." in asked
    assert not fake.site["fits"][0]["in_force"]
    assert admin.post(f"{PAGE}/fit-0").location == PAGE
    page = admin.get(MODEL).text
    assert "calibrated for this site on 2026-11-21 with 115 reviewed cases" in page
    assert f'href="{PAGE}/shipped"' in page

    assert "as it was shipped" in admin.get(f"{PAGE}/shipped").text
    admin.post(f"{PAGE}/shipped")
    assert "The shipped values are in force." in admin.get(PAGE).text
    assert admin.get(f"{PAGE}/nothing").status_code == 404


def test_what_gets_worse_is_said_in_words(admin: Visitor, fake: FakeApp) -> None:
    fake.site["fits"] = [site_fit_of(0, ("accuracy", "brier"))]
    page = admin.get(PAGE).text
    assert "Worse than as shipped, on cases that the fit had not seen: Accuracy, Brier score." in page
    assert page.count('class="error">worse</span>') == 2
    fake.site["fits"] = [site_fit_of(0, ())]
    assert "Worse than as shipped" not in admin.get(PAGE).text


def test_the_drawing_has_its_marks_where_they_belong_and_no_inline_style(doctor: Visitor, fake: FakeApp) -> None:
    fake.site["fits"] = [site_fit_of(0)]
    page = doctor.get(MODEL).text
    assert 'points="24.0,192.0 216.0,48.0 "' in page  # (0.1, 0.2) and (0.9, 0.8) of 240, y downwards
    assert not re.search(r"style=|<script>|\son\w+=", page)


def table(page: str, caption: str) -> list[list[str]]:
    """The rows of the table with this caption, their heads with them."""
    (body,) = re.findall(rf"<caption>{re.escape(caption)}</caption>(.*?)</table>", page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


@pytest.mark.parametrize("path", [MODEL, PAGE])
def test_confusion_and_reliability_stand_side_by_side_before_and_after(
    path: str, doctor: Visitor, fake: FakeApp
) -> None:
    fake.site["fits"] = [site_fit_of(0)]
    page = doctor.get(path).text
    head = ["Truth", "Normal", "Pneumonia"]
    assert table(page, "As shipped: truth in rows, answer in columns") == [
        head,
        ["Normal", "40", "5"],
        ["Pneumonia", "10", "60"],
    ]
    assert table(page, "Fitted to this site: truth in rows, answer in columns") == [
        head,
        ["Normal", "42", "3"],
        ["Pneumonia", "12", "58"],
    ]
    assert 'class="before" points="24.0,192.0 216.0,48.0 "' in page
    assert 'class="after" points="24.0,216.0 216.0,24.0 "' in page
    assert 'aria-label="Reliability. Calibration error 0.053 as shipped, 0.029 fitted to this site."' in page


def test_a_doctor_sees_it_and_has_no_buttons(doctor: Visitor, fake: FakeApp) -> None:
    fake.site["fits"] = [site_fit_of(0) | {"in_force": True}, site_fit_of(1)]
    for path in (MODEL, PAGE):
        page = doctor.get(path).text
        assert "calibrated for this site on 2026-11-21" in page
        assert "Fit from reviewed cases" not in page and f"{PAGE}/" not in page
    assert doctor.post(f"{PAGE}/fit").status_code == 403


def test_a_model_whose_active_version_has_gone_still_has_its_page(doctor: Visitor, fake: FakeApp) -> None:
    fake.models = [fake.models[0].model_copy(update={"active_version": "9"})]
    page = doctor.get(MODEL)
    assert page.status_code == 200 and "The shipped values are in force." not in page.text


def test_a_review_may_name_what_the_image_shows(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.succeed(fake.add_job(fake.add_study()), answer("uncertain", 0.45))
    page = doctor.get(f"/studies/{job.study_id}").text
    assert '<option value="normal"' in page and '<option value="pneumonia"' in page
    saved = doctor.post(
        f"/jobs/{job.id}/review", {"verdict": "disagree", "shows": "pneumonia"}, headers={"HX-Request": "true"}
    )
    assert '<option value="pneumonia" selected>' in saved.text
    kept = fake.jobs[job.id].review
    assert kept is not None and kept.labels == ["pneumonia"]
    doctor.post(f"/jobs/{job.id}/review", {"verdict": "agree", "shows": ""})
    assert (again := fake.jobs[job.id].review) is not None and again.labels is None


def test_hard_cases_that_are_left_out_are_a_warning(admin: Visitor, fake: FakeApp) -> None:
    assert "hard cases" not in admin.get(PAGE).text
    fake.site["left_out"] = {"class_not_named": 4}
    page = admin.get(PAGE).text
    assert "4 where the reviewer disagreed without naming one of several classes" in page and "hard cases" in page


def test_an_answer_says_by_which_values_it_was_made(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    site = {"id": "fit-0", "n": 307, "at": "2026-11-21T10:00:00+00:00"}
    fake.succeed(fake.add_job(study), answer(calibration=site))
    page = doctor.get(f"/studies/{study.id}").text
    assert "Calibrated for this site on 2026-11-21 with 307 images." in page
    assert "Of 100 images of this site with a score like this" in page
    fake.succeed(fake.add_job(study), answer())
    page = doctor.get(f"/studies/{study.id}").text
    assert "Calibrated for this site" not in page and "<dd>as shipped</dd>" in page
