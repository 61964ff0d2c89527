"""The audit as pages: who opened a study, and the trail for an administrator."""

import re

from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_app import FakeApp


def test_a_study_says_who_opened_it(doctor: Visitor, fake: FakeApp) -> None:
    page = doctor.get(f"/studies/{fake.add_study().id}").text
    panel = page[page.index("Opened by") :]
    assert re.search(r"doctor</span>.*looked 2 times, last <time datetime=\"2026-11-21T08:30:00Z\">", panel)


def test_the_trail_is_read_page_by_page(visitor: Visitor) -> None:
    visitor.sign_in("admin")
    first = visitor.get("/admin/audit").text
    assert "sign in" in first and "10.1.2.3" in first
    older = re.search(r'href="(/admin/audit\?[^"]*before=70[^"]*)"', first)
    assert older and '<th scope="row">3</th>' in visitor.get(older[1]).text


def test_the_trail_is_narrowed_to_a_person_and_an_odd_page_is_no_trouble(visitor: Visitor) -> None:
    visitor.sign_in("admin")
    assert '<th scope="row">70</th>' not in visitor.get("/admin/audit?username=doctor&before=x").text
    assert "No row is like this." in visitor.get("/admin/audit?username=nobody").text
