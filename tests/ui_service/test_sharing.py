"""Others' studies as pages: a link made and revoked, opened by a colleague, and access in an emergency."""

import html

import pytest

from portal_wire.contract import Study
from tests.ui_service.conftest import ORIGIN, Visitor
from tests.ui_service.fake_answers import answer
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_sharing import CODE, EMERGENCY

WHY = "Nobody else was there, and she could not breathe."


@pytest.fixture
def anothers(fake: FakeApp) -> Study:
    """A study of doctor house, which App lets the person look at."""
    study = fake.add_study(uploaded_by="house", patient_reference="P-7")
    fake.succeed(fake.add_job(study), answer("pneumonia", 0.91))
    fake.sharing.seen.append(study.id)
    return study


def test_a_link_is_made_shown_once_and_revoked(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    doctor.get(f"/studies/{study.id}")
    page = doctor.post(f"/studies/{study.id}/shares", {"colleague": " house ", "days": "30"})
    assert f"{ORIGIN}/shared#{CODE}" in page.text and "Only house" in page.text
    assert [(one["colleague"], one["days"]) for one in fake.sharing.shares] == [("house", 30)]
    listed = doctor.get(f"/studies/{study.id}").text
    assert "house" in listed and CODE not in listed
    share = fake.sharing.shares[0]["id"]
    for _ in range(2):  # one that has ended by itself meanwhile is as good
        assert doctor.post(f"/studies/{study.id}/shares/{share}").location == f"/studies/{study.id}"
    assert fake.sharing.shares == []


def test_a_link_for_any_doctor_says_so_and_a_stranger_gets_none(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    doctor.get(f"/studies/{study.id}")
    assert "Any doctor who has it" in doctor.post(f"/studies/{study.id}/shares", {"days": "7"}).text
    refused = doctor.post(f"/studies/{study.id}/shares", {"colleague": "nobody"})
    assert refused.status_code == 422 and "no other doctor of this name" in refused.text


def test_a_link_is_opened_by_its_code_or_by_the_whole_of_it(doctor: Visitor, anothers: Study) -> None:
    for typed in (CODE, f"{ORIGIN}/shared#{CODE}", f"  {CODE}  "):
        doctor.get("/shared")
        assert doctor.post("/shared", {"code": typed}).location == f"/studies/{anothers.id}"
    for typed in ("", "wrong", f"{ORIGIN}/shared#"):
        refused = doctor.post("/shared", {"code": typed})
        assert refused.status_code == 404 and "has ended, or is for somebody else" in refused.text


def test_another_doctors_study_is_to_be_read_and_offers_nothing_else(doctor: Visitor, anothers: Study) -> None:
    assert doctor.get(f"/studies/{anothers.id}").location == f"/shared/{anothers.id}"
    assert f'href="/shared/{anothers.id}"' in doctor.get("/shared").text
    page = doctor.get(f"/shared/{anothers.id}").text
    assert "A study of house." in page and "Pneumonia suspected" in page and "P-7" in page
    main = page.split("<main")[1].split("</main>")[0]
    assert "<form" not in main and "Delete" not in main and "original" not in main


def test_what_is_shared_with_nobody_is_not_there(doctor: Visitor, fake: FakeApp) -> None:
    assert doctor.get(f"/shared/{fake.add_study(uploaded_by='house').id}").status_code == 404


def test_an_emergency_asks_for_a_reason_and_opens(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study(uploaded_by="house")
    path = f"/studies/{study.id}/emergency"
    assert "60 minutes" in doctor.get(path).text
    refused = doctor.post(path, {"reason": "short <b>"})
    assert refused.status_code == 422 and "at least ten characters" in refused.text
    assert html.escape("short <b>") in refused.text and fake.sharing.reasons == []
    assert doctor.post(path, {"reason": WHY}).location == f"/shared/{study.id}"
    assert fake.sharing.reasons == [WHY] and "A study of house." in doctor.get(f"/shared/{study.id}").text


def test_a_study_that_is_not_there_for_oneself_leads_to_the_emergency(doctor: Visitor) -> None:
    nobodys = "01a1fd68-0152-729f-ac1c-e63c85352021"
    page = doctor.get(f"/studies/{nobodys}")
    assert page.status_code == 404 and f'href="/studies/{nobodys}/emergency"' in page.text


def test_its_doctor_reads_who_came_in_an_emergency_and_why(doctor: Visitor, fake: FakeApp) -> None:
    fake.sharing.emergencies.append(EMERGENCY)
    page = doctor.get(f"/studies/{fake.add_study().id}").text
    assert html.escape(str(EMERGENCY["reason"])) in page and "in an emergency" in page


def test_another_doctors_studies_are_opened_by_what_they_are_called(doctor: Visitor, fake: FakeApp) -> None:
    first, second = (fake.add_study(uploaded_by="house", patient_reference="P-7") for _ in range(2))
    assert 'href="/emergency"' in doctor.get("/shared").text
    form = doctor.get("/emergency").text
    assert "60 minutes" in form and "P-7" not in form
    assert doctor.post("/emergency", {"study": " P-7 ", "reason": WHY}).location == "/shared"
    listed = doctor.get("/shared").text
    assert f"/shared/{first.id}" in listed and f"/shared/{second.id}" in listed
    fake.sharing.seen.clear()
    assert doctor.post("/emergency", {"study": second.id, "reason": WHY}).location == f"/shared/{second.id}"
    assert fake.sharing.reasons == [WHY, WHY]


def test_what_finds_nothing_says_no_more_than_that(doctor: Visitor, fake: FakeApp) -> None:
    fake.add_study(uploaded_by="house", patient_reference="P-7")
    doctor.get("/emergency")
    refused = doctor.post("/emergency", {"study": "P-<8>", "reason": WHY})
    assert refused.status_code == 404 and html.escape("P-<8>") in refused.text and WHY in html.unescape(refused.text)
    assert "P-7" not in refused.text and "house" not in refused.text.split("<main")[1]
    for study, reason in (("P-7", "short"), ("", WHY), ("", "")):
        refused = doctor.post("/emergency", {"study": study, "reason": reason})
        assert refused.status_code == 422 and "at least ten characters" in refused.text
    stopped = doctor.post("/emergency", {"study": "guess", "reason": WHY})
    assert stopped.status_code == 429 and stopped.headers["Retry-After"] == "300"
    assert fake.sharing.reasons == [] and fake.sharing.seen == []
