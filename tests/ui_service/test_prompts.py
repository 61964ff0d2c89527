"""Boxes that a doctor draws, without a browser: what is sent on, what is refused, and what is never shown."""

import json

import pytest

from portal_wire.contract import JobState
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import answer, outlined
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import MODEL, outliner
from tests.ui_service.fake_prompts import filled, outliner_of_boxes

HTMX = {"HX-Request": "true"}
BOX = {"box": [10.0, 20.0, 30.0, 40.0], "label": 1, "through": False}


@pytest.fixture
def fake(fake: FakeApp) -> FakeApp:
    """App with a model that takes boxes."""
    fake.models.append(outliner_of_boxes())
    return fake


def test_the_tool_is_offered_only_where_a_model_takes_boxes(doctor: Visitor, fake: FakeApp) -> None:
    page = f"/studies/{fake.add_study().id}"
    assert 'id="outline-toggle"' in doctor.get(page).text
    (broken,) = fake.models[1].versions
    versions = [broken.model_copy(update={"not_ready": "weights.npz is not the file that was released"})]
    fake.models = [MODEL, fake.models[1].model_copy(update={"versions": versions})]
    assert 'id="outline-toggle"' not in doctor.get(page).text
    fake.models = [MODEL]
    assert 'id="outline' not in doctor.get(page).text


def test_no_menu_offers_a_model_that_waits_for_boxes(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    for path in ("/", f"/studies/{study.id}", f"/studies/{study.id}/compare"):
        page = doctor.get(path).text
        assert "pneumonia" in page and 'value="box-prompt' not in page, path


def test_boxes_are_sent_on_as_they_were_drawn(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    doctor.get(f"/studies/{study.id}")
    two = [BOX, BOX | {"box": [0.0, 0.0, 5.0, 9.0], "label": 3}]
    asked = doctor.post(f"/studies/{study.id}/prompts", {"prompts": json.dumps(two)}, headers=HTMX)
    (job,) = fake.jobs.values()
    assert [prompt.model_dump() for prompt in job.prompts] == two
    assert f'sse-swap="answer-{job.id}"' in asked.text and "mask.png" in asked.text
    assert asked.headers["HX-Replace-Url"] == f"/studies/{study.id}?job={job.id}"


@pytest.mark.parametrize("sent", ["", "[]x", '[{"box": [1, 2, 3]}]', '[{"box": [1, 2, 3, 4], "mask": 1}]'])
def test_what_is_no_box_is_refused_in_words(doctor: Visitor, fake: FakeApp, sent: str) -> None:
    study = fake.add_study()
    doctor.get(f"/studies/{study.id}")
    refused = doctor.post(f"/studies/{study.id}/prompts", {"prompts": sent}, headers=HTMX)
    assert refused.status_code == 422 and "These boxes cannot be read" in refused.text
    assert not fake.jobs


def test_a_box_that_app_refuses_is_refused_without_its_field_names(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    doctor.get(f"/studies/{study.id}")
    outside = [BOX | {"box": [10.0, 20.0, 30.0, 4000.0]}]
    refused = doctor.post(f"/studies/{study.id}/prompts", {"prompts": json.dumps(outside)}, headers=HTMX)
    assert refused.status_code == 422 and "This box does not lie in the image" in refused.text
    assert "prompts[0]" not in refused.text


def test_a_new_box_calls_off_the_run_that_nobody_waits_for(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    needless = fake.add_job(study, JobState.RUNNING, model="box-prompt", prompts=[BOX])
    doctor.get(f"/studies/{study.id}")
    form = {"prompts": json.dumps([BOX, BOX]), "instead": needless.id}
    assert doctor.post(f"/studies/{study.id}/prompts", form, headers=HTMX).status_code == 200
    assert fake.jobs[needless.id].state is JobState.CANCELLED
    assert doctor.post(f"/studies/{study.id}/prompts", form, headers=HTMX).status_code == 200  # it has ended: as good


def test_another_images_outline_is_never_put_in_place(doctor: Visitor, fake: FakeApp) -> None:
    here, other = fake.add_study("here.png"), fake.add_study("other.png")
    drawn = filled(fake, fake.add_job(other, model="box-prompt", prompts=[BOX]))
    for path in (f"/studies/{here.id}/place?job={drawn.id}", f"/studies/{here.id}?job={drawn.id}"):
        shown = doctor.get(path, headers=HTMX)
        assert shown.status_code == 404 and "mask.png" not in shown.text, path
    assert "data-prompts" not in doctor.get(f"/studies/{here.id}").text
    assert "data-prompts" in doctor.get(f"/studies/{other.id}?job={drawn.id}").text


def test_an_earlier_answer_comes_back_and_the_address_keeps_its_filters(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    job = fake.succeed(fake.add_job(study), answer())
    came = HTMX | {"HX-Current-URL": f"https://portal.test/studies/{study.id}?q=film&job=x"}
    again = doctor.get(f"/studies/{study.id}/place?job={job.id}&base=", headers=came)
    assert "Pneumonia suspected" in again.text
    assert again.headers["HX-Replace-Url"] == f"/studies/{study.id}?q=film&job={job.id}"
    none = doctor.get(f"/studies/{study.id}/place?job=&base=", headers=HTMX).text
    assert 'id="answer"' in none and "sse-swap" not in none and "Pneumonia suspected" not in none.split('id="runs"')[0]


def test_an_outline_hides_neither_a_finding_nor_a_models_own_mask(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    lungs = outlined({"pixels": 9, "share": 0.1}, {"pixels": 0, "share": 0})
    fake.outline(fake.add_job(study, model="lung-field"), lungs, {})
    filled(fake, fake.add_job(study, model="box-prompt", prompts=[BOX]))
    assert "1 of 2 structures outlined" in doctor.get("/").text
    fake.succeed(fake.add_job(study), answer())
    filled(fake, fake.add_job(study, model="box-prompt", prompts=[BOX]))
    assert "Pneumonia suspected" in doctor.get("/").text
    page = doctor.get(f"/studies/{study.id}").text
    assert "Pneumonia suspected" in page.split('id="runs"')[0] and "1 earlier outline<" in page


def test_a_correction_is_shown_beside_the_models_own_and_undone(doctor: Visitor, fake: FakeApp) -> None:
    fake.models.append(outliner("lung-field"))
    study = fake.add_study()
    result = outlined({"label": "right_lung", "pixels": 900, "share": 0.1})
    own = fake.outline(fake.add_job(study, model="lung-field"), result, {"mask.png": b"own"})
    drawn = filled(fake, fake.add_job(study, model="box-prompt", prompts=[BOX]))
    page = doctor.get(f"/studies/{study.id}?job={drawn.id}&base={own.id}").text
    assert f'data-own="/jobs/{own.id}/artifacts/mask.png"' in page and "/correction" in page
    asked = doctor.post(f"/jobs/{own.id}/correction", {"from_job": drawn.id}, headers=HTMX).text
    assert f'data-mask="/jobs/{own.id}/artifacts/mask_corrected.png"' in asked
    assert f'data-own="/jobs/{own.id}/artifacts/mask.png"' in asked
    assert ">441<" in asked and ">900<" not in asked  # pixels of the mask that is shown
    assert "Undo the correction" in asked and "Mask as corrected" in asked
    undone = doctor.post(f"/jobs/{own.id}/correction/remove", headers=HTMX).text
    assert f'data-mask="/jobs/{own.id}/artifacts/mask.png"' in undone and "data-own" not in undone


def test_nothing_is_corrected_by_what_is_no_model_s_own_mask(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    finding = fake.succeed(fake.add_job(study), answer())
    first, drawn = (filled(fake, fake.add_job(study, model="box-prompt", prompts=[BOX])) for _ in range(2))
    for base in (finding, first):
        page = doctor.get(f"/studies/{study.id}?job={drawn.id}&base={base.id}").text
        assert "data-own" not in page and "data-base" not in page, base.model
    other = fake.outline(fake.add_job(fake.add_study(), model="lung-field"), outlined({"pixels": 1, "share": 0.1}), {})
    assert doctor.get(f"/studies/{study.id}?job={drawn.id}&base={other.id}").status_code == 404


def test_the_masks_of_boxes_can_be_taken_away_as_npz(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study("case.npz")
    drawn = filled(fake, fake.add_job(study, model="box-prompt", prompts=[BOX]))
    page = doctor.get(f"/studies/{study.id}?job={drawn.id}").text
    assert f'href="/jobs/{drawn.id}/artifacts/segs.npz" download' in page and "Masks as NPZ (segs)" in page
    fake.succeed(fake.add_job(study), answer())  # an answer that stands before it
    page = doctor.get(f"/studies/{study.id}").text
    assert "Masks of the boxes as NPZ" in page and f'href="/jobs/{drawn.id}/artifacts/segs.npz" download' in page
