"""Uploads pass through unread; what is refused says why."""

import io

from portal_wire.errors import Unavailable
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import grey_png
from tests.ui_service.fake_app import FakeApp

HX = {"HX-Request": "true"}


def body(*files: tuple[str, bytes]) -> dict[str, list[tuple[io.BytesIO, str]]]:
    return {"file": [(io.BytesIO(content), name) for name, content in files]}


def test_a_script_gets_the_new_row(doctor: Visitor, fake: FakeApp) -> None:
    data = body(("chest.png", grey_png()))
    answer = doctor.post("/uploads", data=data, headers=HX | {"X-CSRFToken": doctor.token})
    assert answer.status_code == 201
    (study,), (job,) = fake.studies.values(), fake.jobs.values()
    assert f'id="row-{study.id}"' in answer.text
    assert f'sse-swap="job-{job.id}"' in answer.text
    assert f'hx-get="/jobs/{job.id}/row?waited=60" hx-trigger="load delay:60ms' in answer.text  # a quick answer is over
    assert "<html" not in answer.text


def test_a_plain_form_leads_to_the_worklist(doctor: Visitor, fake: FakeApp) -> None:
    answer = doctor.post("/uploads", data=body(("a.png", grey_png()), ("b.png", grey_png(300))))
    assert (answer.status_code, answer.location) == (303, "/")
    assert [study.filename for study in fake.studies.values()] == ["a.png", "b.png"]


def test_the_body_is_passed_on_as_it_came(doctor: Visitor, fake: FakeApp) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nX-Own: 1\r\n\r\n'
    raw = b"preamble that a parser drops\r\n" + head + grey_png() + b"\r\n--x--\r\n"
    sent = {"data": raw, "content_type": "multipart/form-data; boundary=x"}
    assert doctor.post("/uploads", headers=HX | {"X-CSRFToken": doctor.token}, **sent).status_code == 201
    assert fake.uploads == [raw]


def test_a_scripted_upload_needs_the_header_token(doctor: Visitor, fake: FakeApp) -> None:
    for token in ({}, {"X-CSRFToken": "wrong"}):
        answer = doctor.post("/uploads", data=body(("a.png", grey_png())), headers=HX | token)
        assert answer.status_code == 403
    assert not fake.uploads


def test_a_refused_file_says_why(doctor: Visitor) -> None:
    data = body(("holiday.gif", b"GIF89a"))
    answer = doctor.post("/uploads", data=data, headers=HX | {"X-CSRFToken": doctor.token})
    assert answer.status_code == 415
    assert "Expected a PNG or JPEG image" in answer.text
    assert "not_an_image" in answer.text
    assert "row-" not in answer.text


def test_without_scripts_a_refused_file_says_why_too(doctor: Visitor) -> None:
    answer = doctor.post("/uploads", data=body(("holiday.gif", b"GIF89a")))
    assert answer.status_code == 415
    assert "This file was not accepted" in answer.text
    answer = doctor.post("/uploads", data=body(("a.png", grey_png()), ("holiday.gif", b"GIF89a")))
    assert answer.status_code == 422
    assert "holiday.gif" in answer.text


def test_one_bad_file_among_good_ones_gets_its_own_line(doctor: Visitor) -> None:
    data = body(("a.png", grey_png()), ("holiday.gif", b"GIF89a"))
    answer = doctor.post("/uploads", data=data, headers=HX | {"X-CSRFToken": doctor.token})
    assert answer.status_code == 201
    assert 'hx-swap-oob="beforeend:#uploads"' in answer.text
    assert answer.text.count("<tr ") == 1


def test_a_sample_film_is_uploaded_by_one_click(doctor: Visitor, fake: FakeApp) -> None:
    assert doctor.post("/samples/1", headers=HX).status_code == 201
    assert doctor.post("/samples/99", headers=HX).status_code == 404
    assert len(fake.studies) == 1


def test_when_app_is_away_an_upload_is_no_success(doctor: Visitor, fake: FakeApp) -> None:
    fake.broken = Unavailable("The store is away.", retry_after_s=7)
    answer = doctor.post("/uploads", data=body(("a.png", grey_png())), headers=HX | {"X-CSRFToken": doctor.token})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert "<tr" not in answer.text
