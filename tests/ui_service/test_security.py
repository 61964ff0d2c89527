"""What every answer forbids, and which requests are refused."""

import json
import logging
import re
from pathlib import Path

import pytest

import ui_service
from portal_wire.logs import JsonLines
from tests.ui_service.conftest import ORIGIN, Visitor
from tests.ui_service.fake_app import FakeApp

ROOT = Path(ui_service.__file__).parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", ["/sign-in", "/", "/models", "/nothing-here", "/static/lightbox.css"])
def test_every_answer_carries_the_headers(doctor: Visitor, path: str) -> None:
    headers = doctor.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "max-age=31536000" in headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", ["/", "/models", "/sign-in"])
def test_pages_are_never_stored_and_vary_with_htmx(doctor: Visitor, path: str) -> None:
    answer = doctor.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": f"{ORIGIN}.evil.test"},
        {"Origin": ORIGIN.replace("https", "http")},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/uploads", "/selection/delete"])
def test_a_request_from_elsewhere_is_refused(
    doctor: Visitor, fake: FakeApp, path: str, headers: dict[str, str]
) -> None:
    before = len(fake.calls)
    answer = doctor.post(path, headers=headers)
    assert answer.status_code == 403
    assert len(fake.calls) == before


def test_without_any_origin_a_request_is_refused(doctor: Visitor) -> None:
    assert doctor.client.post("/sign-out", base_url=ORIGIN, data={"csrf_token": doctor.token}).status_code == 403


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/selection/run", "/samples/1"])
@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_form_without_its_token_is_refused(doctor: Visitor, path: str, token: str) -> None:
    answer = doctor.post(path, {"csrf_token": token})
    assert answer.status_code == 400
    assert "This did not work" in answer.text


def test_what_is_refused_as_forged_stands_in_the_log(doctor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("lightbox").addHandler(caplog.handler)
    doctor.post("/sign-in", headers={"Origin": "https://evil.test"})
    doctor.post("/sign-out", {"csrf_token": "wrong"})
    doctor.post("/uploads", {}, headers={"HX-Request": "true"})
    logging.getLogger("lightbox").removeHandler(caplog.handler)
    said = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "lightbox.security"]
    assert [(line["event"], line["code"]) for line in said] == [
        ("request_forged", code) for code in ("foreign_origin", "csrf_token", "csrf")
    ]
    assert all(line["request_id"] for line in said)


def test_another_sessions_token_is_refused(doctor: Visitor, visitor: Visitor) -> None:
    visitor.get("/sign-in")
    assert doctor.post("/sign-out", {"csrf_token": visitor.token}).status_code == 400


@pytest.mark.parametrize("host", ["evil.test", "portal.test.evil.test", "portal.test@evil.test"])
def test_a_foreign_host_name_is_refused(visitor: Visitor, host: str) -> None:
    assert visitor.client.get("/sign-in", base_url=f"https://{host}").status_code == 400


@pytest.mark.parametrize("host", ["10.2.3.4:5001", "127.0.0.1:5001", "[fd00::7]:5001", "ui-1.inside.example:5001"])
def test_probes_answer_under_any_address_and_pages_do_not(visitor: Visitor, host: str) -> None:
    assert visitor.client.get("/readyz", base_url=f"http://{host}").json["status"] == "ready"
    assert visitor.client.get("/healthz", base_url=f"http://{host}").json == {"status": "alive"}
    assert "lightbox_ui_request_seconds" in visitor.client.get("/metrics", base_url=f"http://{host}").text
    for path in ("/", "/sign-in", "/metrics/", "/healthz/x", "/static/lightbox.css", "/nothing-here"):
        assert visitor.client.get(path, base_url=f"http://{host}").status_code == 400, path


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_what_the_policy_forbids(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert "|safe" not in text.replace(" ", "")
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


def test_every_posted_form_carries_its_token_but_the_unread_one() -> None:
    for template in TEMPLATES:
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(encoding="utf-8"), re.DOTALL):
            assert "csrf_token" in form or 'id="upload"' in form, template.name


def test_names_from_outside_come_out_as_text(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study("<script>alert(1)</script>.png", patient_reference='"><img src=x onerror=alert(1)>')
    for path in ("/", f"/studies/{study.id}"):
        page = doctor.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_cards_own_html_comes_out_as_text(doctor: Visitor) -> None:
    page = doctor.get("/models/pneumonia").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_style_sheet_stays_small() -> None:
    assert len((ROOT / "static" / "lightbox.css").read_text().splitlines()) < 600
