"""A second factor as pages: set up, asked for at sign-in, removed."""

import re

from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_accounts import CODE
from tests.ui_service.fake_app import FakeApp

PATH = "/account/second-factor"


def test_it_is_set_up_with_a_picture_and_a_first_code(doctor: Visitor, fake: FakeApp) -> None:
    assert "Set one up" in doctor.get("/account").text
    page = doctor.post(PATH, {"password": "right"}).text
    assert "ABCD EFGH" in page
    picture = doctor.get(re.search(r'src="(/account/[^"]*qr.svg)"', page)[1])  # type: ignore[index]
    assert picture.mimetype == "image/svg+xml" and picture.headers["Cache-Control"] == "no-store"
    wrong = doctor.post(f"{PATH}/confirm", {"otp": "000000", "secret": "ABCD EFGH"})
    assert wrong.status_code == 403 and "This is not the present code." in wrong.text and "ABCD EFGH" in wrong.text
    codes = doctor.post(f"{PATH}/confirm", {"otp": f" {CODE} "}).text
    assert codes.count('<code class="secret">abcd-efgh-') == 10
    assert "10 recovery codes left" in doctor.get("/account").text


def test_a_wrong_password_is_said_on_the_accounts_page(doctor: Visitor) -> None:
    doctor.get("/account")
    answer = doctor.post(PATH, {"password": "wrong"})
    assert answer.status_code == 403 and "The present password is not right." in answer.text


def test_at_sign_in_a_code_is_asked_for(visitor: Visitor, fake: FakeApp) -> None:
    fake.accounts.factor["state"] = "on"
    asked = visitor.sign_in()
    assert asked.status_code == 401 and "This account asks for a code as well." in asked.text
    assert visitor.sign_in(otp=CODE).status_code == 303


def test_it_is_removed_with_password_and_code(doctor: Visitor, fake: FakeApp) -> None:
    fake.accounts.factor.update(state="on", recovery_codes_left=1)
    assert "1 recovery code left" in doctor.get("/account").text
    assert doctor.post(f"{PATH}/remove", {"password": "x", "otp": "000000"}).status_code == 403
    assert doctor.post(f"{PATH}/remove", {"password": "x", "otp": CODE}).status_code == 303
    assert fake.accounts.factor["state"] == "none"


def test_an_administrator_takes_a_lost_one_away(visitor: Visitor, fake: FakeApp) -> None:
    visitor.sign_in("admin")
    (lost,) = [one for one in fake.accounts.users if one["username"] == "doctor"]
    lost["second_factor"] = True
    assert "Remove second factor" in visitor.get("/admin/users").text
    assert visitor.post(f"/admin/users/{lost['id']}/second-factor").status_code == 303
    assert lost["second_factor"] is False
