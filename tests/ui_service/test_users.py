"""Accounts as pages: an administrator's list, and what anybody may do about the own."""

import html
import re

import pytest

from portal_wire.errors import Forbidden
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_accounts import MADE_UP
from tests.ui_service.fake_app import PASSWORD, FakeApp

NEW = "a new and longer password"


@pytest.fixture
def admin(visitor: Visitor) -> Visitor:
    visitor.sign_in("admin")
    visitor.get("/admin/users")
    return visitor


def id_of(fake: FakeApp, username: str) -> str:
    return next(str(one["id"]) for one in fake.accounts.users if one["username"] == username)


def test_an_added_account_comes_with_a_password_that_is_shown_once(admin: Visitor) -> None:
    page = admin.post("/admin/users", {"username": "grey", "role": "doctor"}).text
    assert f'<code class="secret">{MADE_UP}</code>' in page
    listed = admin.get("/admin/users").text
    assert "grey" in listed and "has not chosen a password yet" in listed and MADE_UP not in listed


def test_a_service_gets_no_password(admin: Visitor) -> None:
    assert "A service has no password" in admin.post("/admin/users", {"username": "ris", "role": "service"}).text


def test_a_name_that_is_taken_is_said(admin: Visitor) -> None:
    answer = admin.post("/admin/users", {"username": "doctor", "role": "doctor"})
    assert answer.status_code == 409 and "There is an account of this name." in answer.text


def test_roles_states_and_passwords_are_changed(admin: Visitor, fake: FakeApp) -> None:
    doctor = id_of(fake, "doctor")
    for form in ({"role": "ops"}, {"disabled": "yes"}):
        assert admin.post(f"/admin/users/{doctor}", form).location == "/admin/users"
    user = fake.accounts.user(doctor)
    assert (user["role"], user["disabled"]) == ("ops", True)
    page = admin.get("/admin/users").text
    assert "disabled" in page and ">Enable<" in page
    admin.post(f"/admin/users/{doctor}", {"disabled": "no"})
    assert user["disabled"] is False
    assert MADE_UP in admin.post(f"/admin/users/{doctor}/password").text


def test_nobody_is_offered_to_shut_out_the_own_account(admin: Visitor, fake: FakeApp) -> None:
    assert f'action="/admin/users/{id_of(fake, "admin")}' not in admin.get("/admin/users").text


def test_a_password_is_changed_and_the_session_goes_on(doctor: Visitor, fake: FakeApp) -> None:
    doctor.get("/account")
    answer = doctor.post("/account/password", {"current": "old", "new": NEW, "again": NEW})
    assert answer.status_code == 303 and fake.accounts.passwords == [NEW]
    assert "The password is changed." in doctor.get(answer.location).text
    assert doctor.get("/").status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"current": "old", "new": NEW, "again": "other"}, 422, "not typed alike"),
        ({"current": "wrong", "new": NEW, "again": NEW}, 403, "The present password is not right."),
    ],
)
def test_a_change_that_cannot_be_says_why(doctor: Visitor, form: dict[str, str], status: int, said: str) -> None:
    doctor.get("/account")
    answer = doctor.post("/account/password", form)
    assert answer.status_code == status and said in html.unescape(answer.text)
    assert not re.search(r'type="password"[^>]*value=', answer.text)


def test_a_password_to_begin_with_leads_to_choosing_another(doctor: Visitor, fake: FakeApp) -> None:
    fake.broken = Forbidden("Please choose a password of your own first.", code="password_change_needed")
    assert doctor.get("/").location == "/account"
    assert doctor.get("/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account"
    assert doctor.get("/account").status_code == 200


def test_who_signed_in_too_long_ago_signs_in_again_and_comes_back(admin: Visitor, fake: FakeApp) -> None:
    fake.broken = Forbidden("To change accounts, please sign in again.", code="sign_in_again")
    answer = admin.post(f"/admin/users/{id_of(fake, 'doctor')}", {"disabled": "yes"})
    assert answer.status_code == 303 and answer.location == "/sign-in?next=/admin/users"
    fake.broken = None
    assert "within five minutes of signing in" in admin.get(answer.location).text
    form = {"username": "admin", "password": PASSWORD, "next": "/admin/users"}
    assert admin.post("/sign-in", form).location == "/admin/users"
