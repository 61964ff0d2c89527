"""Signing in and out."""

import pytest

from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_app import FakeApp


def test_the_right_password_leads_to_the_worklist(visitor: Visitor) -> None:
    answer = visitor.sign_in()
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Worklist" in visitor.get("/").text


def test_a_wrong_password_shows_the_form_again_without_the_password(visitor: Visitor) -> None:
    answer = visitor.sign_in(password="not it at all")
    assert answer.status_code == 401
    assert "Name or password is not right." in answer.text
    assert "not it at all" not in answer.text


def test_the_token_lies_in_a_cookie_that_no_script_and_no_other_site_gets(visitor: Visitor) -> None:
    cookies = visitor.sign_in().headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-session", "__Host-page"}
    for cookie in cookies:
        for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict"):
            assert attribute in cookie
        assert "Domain" not in cookie


def test_signing_out_ends_the_session_in_app(doctor: Visitor, fake: FakeApp) -> None:
    assert len(fake.tokens) == 1
    assert doctor.post("/sign-out").location == "/sign-in"
    assert not fake.tokens
    assert doctor.get("/").location == "/sign-in"


def test_a_session_that_app_has_ended_leads_to_sign_in_and_back(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.tokens.clear()
    answer = doctor.get(f"/studies/{study.id}")
    assert answer.status_code == 303
    assert answer.location == f"/sign-in?next=/studies/{study.id}"
    assert doctor.sign_in(next=f"/studies/{study.id}").location == f"/studies/{study.id}"


def test_htmx_is_sent_to_sign_in_as_a_whole_page(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.add_job(fake.add_study())
    fake.tokens.clear()
    answer = doctor.get(f"/jobs/{job.id}/row", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "/studies/../..//evil.test",
        "javascript:alert(1)",
        "/%2f/evil.test",
        "/sign-out",
    ],
)
def test_sign_in_never_leads_elsewhere(visitor: Visitor, elsewhere: str) -> None:
    assert visitor.sign_in(next=elsewhere).location == "/"


def test_an_administrator_sees_models_and_no_images(visitor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study("secret-name.png")
    assert visitor.sign_in("admin").location == "/models"
    assert "sees no images" in visitor.get("/models").text
    for path in ("/", f"/studies/{study.id}", f"/studies/{study.id}/image"):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert "sees no images" in answer.text
        assert "secret-name" not in answer.text


def test_only_what_a_page_asks_by_itself_is_told_to_be_that(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.add_job(fake.add_study())
    for path, headers in (("/session", {"HX-Request": "true"}), (f"/jobs/{job.id}/row", {"HX-Request": "true"})):
        fake.by_itself.clear()
        assert doctor.get(path, headers=headers).status_code in (200, 204)
        assert fake.by_itself and all(fake.by_itself), path
    for path, headers in (("/", {}), ("/", {"HX-Request": "true"}), (f"/studies/{job.study_id}", {})):
        fake.by_itself.clear()
        assert doctor.get(path, headers=headers).status_code == 200
        assert fake.by_itself and not any(fake.by_itself), path
