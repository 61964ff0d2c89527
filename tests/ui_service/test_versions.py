"""The versions of a model: doctors see what answers, administrators decide it and are told what changes first."""

import pytest

from portal_wire.contract import Model, VersionState
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import versions
from ui_service.version_lines import consequences

PAGE = "/models/pneumonia"
STATES: tuple[VersionState, ...] = ("active", "shadow", "available", "retired")


@pytest.fixture
def model(fake: FakeApp) -> Model:
    """Version 1 is retired, 2 answers, 3 reads along, 4 is new."""
    four = versions(4)
    states = dict(zip("1234", ("retired", "active", "shadow", "available"), strict=True))
    changed = [one.model_copy(update={"state": states[one.version]}) for one in four.versions]
    figures = {"compared": 1200, "same_label": 0.958, "mean_difference": 0.0314}
    changed[2] = changed[2].model_copy(update=figures)
    changed[1] = changed[1].model_copy(update={"reviews": {"agree": 41, "disagree": 3}})
    made = four.model_copy(update={"active_version": "2", "versions": changed})
    fake.models = [made]
    return made


@pytest.fixture
def admin(visitor: Visitor) -> Visitor:
    assert visitor.sign_in("admin").status_code == 303
    return visitor


@pytest.mark.usefixtures("model")
def test_everyone_sees_states_scores_reviews_and_agreement(doctor: Visitor) -> None:
    page = doctor.get(PAGE).text
    for piece in ("Answers", "Shadow", "Available", "Retired", "newer", "2026-11-21", "AUC 0.981", "0.972 to 0.989"):
        assert piece in page, piece
    for piece in ("41 agree", "0 unsure", "3 disagree", "1,200 images", "95.8% same answer", "differs by 0.031"):
        assert piece in page, piece
    assert "newer version 4 is available" in doctor.get("/models").text


@pytest.mark.usefixtures("model")
def test_a_doctor_has_no_buttons(doctor: Visitor) -> None:
    assert "/versions/4/active" not in doctor.get(PAGE).text


@pytest.mark.usefixtures("model")
def test_an_administrator_has_those_that_mean_something(admin: Visitor) -> None:
    page = admin.get(PAGE).text
    for version, state in (("4", "active"), ("4", "shadow"), ("3", "available"), ("3", "retired"), ("1", "available")):
        assert f'href="{PAGE}/versions/{version}/{state}"' in page
    for state in STATES:  # what answers cannot be taken away
        assert f"{PAGE}/versions/2/{state}" not in page


@pytest.mark.usefixtures("model")
def test_a_change_is_confirmed_by_what_it_means_and_then_made(admin: Visitor, fake: FakeApp) -> None:
    asked = admin.get(f"{PAGE}/versions/4/active").text
    assert "Version 4 answers every new image from now on, in place of version 2." in asked
    assert not fake.changes
    answer = admin.post(f"{PAGE}/versions/4/active/2")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert fake.changes == [("4", "active")]


@pytest.mark.usefixtures("model")
def test_who_confirms_an_old_question_is_told(admin: Visitor, fake: FakeApp) -> None:
    admin.get(f"{PAGE}/versions/4/active")
    answer = admin.post(f"{PAGE}/versions/4/active/1")
    assert answer.status_code == 409
    assert "Another version has been activated meanwhile" in answer.text
    assert not fake.changes


@pytest.mark.usefixtures("model")
def test_what_is_not_there_is_not_asked_about(admin: Visitor) -> None:
    assert admin.get(f"{PAGE}/versions/9/active").status_code == 404
    assert admin.get(f"{PAGE}/versions/4/best").status_code == 404


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("4", "shadow", "Version 3 no longer reads along."),
        ("3", "active", "Version 3 no longer reads along as the shadow."),
        ("3", "available", "What was counted stays."),
        ("3", "retired", "Version 2 goes on answering."),
        ("1", "available", "It answers nothing by itself."),
    ],
)
def test_every_change_says_what_else_it_changes(model: Model, version: str, state: VersionState, words: str) -> None:
    one = next(one for one in model.versions if one.version == version)
    assert words in " ".join(consequences(model, one, state))


def test_a_version_that_cannot_answer_says_why(doctor: Visitor, fake: FakeApp, model: Model) -> None:
    broken = model.versions[3].model_copy(update={"not_ready": "weights.npz is not the file that was released"})
    fake.models = [model.model_copy(update={"versions": [*model.versions[:3], broken]})]
    assert "Cannot answer: weights.npz is not the file that was released" in doctor.get(PAGE).text
