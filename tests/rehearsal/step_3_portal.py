"""A real X-ray through the whole portal, from outside."""

from tests.rehearsal.browser import classify
from tests.rehearsal.conftest import Saw
from tests.rehearsal.outside import ask
from tests.rehearsal.stage import Rehearsal


def test_plain_http_only_redirects(rehearsal: Rehearsal, saw: Saw) -> None:
    answer = ask(
        rehearsal.site,
        """
        answer = http.get("http://lightbox.example/", allow_redirects=False, timeout=10)
        print(json.dumps([answer.status_code, answer.headers["Location"]]))
        """,
    )
    assert answer == [308, "https://lightbox.example/"]
    saw("308 to https://")


def test_pages_come_and_metrics_do_not(rehearsal: Rehearsal, saw: Saw) -> None:
    statuses = ask(
        rehearsal.site,
        """
        paths = ("/sign-in", "/static/samples/", "/metrics", "/readyz", "/api/metrics")
        print(json.dumps([http.get(told["origin"] + path, timeout=10).status_code for path in paths]))
        """,
    )
    assert statuses[0] == 200
    assert statuses[2:] == [404, 404, 404]
    saw("metrics and readiness: 404")


def test_an_x_ray_is_classified(rehearsal: Rehearsal, saw: Saw) -> None:
    job = ask(rehearsal.site, "sign_in(); print(json.dumps(finished(upload())))")
    assert job["state"] == "succeeded", job
    assert {finding["label"] for finding in job["result"]["findings"]} == {"pneumonia"}, job
    saw(f"pneumonia with a probability of {job['result']['findings'][0]['probability']:.2f}")


def test_a_browser_classifies_it(rehearsal: Rehearsal, saw: Saw) -> None:
    answer, complaints = classify(rehearsal.site, rehearsal.site.folder / "answer.png")
    assert complaints == []
    saw(f"Chromium on the internet read: {answer}")
