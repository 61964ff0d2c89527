"""New releases: a good one under load without a failed request, a bad one that undoes itself."""

import base64
import time

from tests.rehearsal.conftest import Saw
from tests.rehearsal.outside import FILM, ask, result, start
from tests.rehearsal.stage import Rehearsal

BROKEN = '"""A release that cannot start."""\n\nraise SystemExit("this release is broken")\n'
WATCHED = "/var/lib/lightbox-app/watched"
# What a doctor makes for a program; shown once.
TOKEN = """
    sign_in()
    wanted = {"name": "incoming", "scopes": ["studies:read", "studies:write"]}
    print(json.dumps(call("POST", "/me/tokens", json=wanted)["secret"]))
"""
LOAD = """
    sign_in()
    jobs, failures, ends = [], [], time.monotonic() + told["for_s"]
    while time.monotonic() < ends and not __import__("os").path.exists(told["stop"]):
        try:
            jobs.append(upload())
        except Exception as error:
            failures.append(repr(error)[:200])
        time.sleep(1)
    states = [finished(job)["state"] for job in jobs]
    print(json.dumps({"jobs": len(jobs), "unfinished": [s for s in states if s != "succeeded"], "failures": failures}))
"""


def test_a_new_release_under_load_loses_nothing(rehearsal: Rehearsal, saw: Saw) -> None:
    site = rehearsal.site
    site.watch(WATCHED, ask(site, TOKEN))  # a site's settings may change with a release
    site.release = site.archive("second", {"app_service/__init__.py": '"""The second release."""\n'})
    stop = site.folder / "stop-load"
    load = start(site, LOAD, for_s=600, stop=str(stop))
    try:
        site.play("deploy.yml")
    finally:
        stop.touch()
    outcome = result(load, timeout_s=300)
    assert outcome["failures"] == [], outcome
    assert outcome["unfinished"] == [], outcome
    assert outcome["jobs"] > 10
    assert "second" in rehearsal.hosts["app"].run("readlink /opt/lightbox/services/api")
    saw(f"{outcome['jobs']} jobs meanwhile, none failed, no request failed")


def test_an_image_arrives_by_itself(rehearsal: Rehearsal, saw: Saw) -> None:
    app = rehearsal.hosts["app"]
    app.run(f"base64 -d >{WATCHED}/incoming/film.jpg <<'END'\n{base64.encodebytes(FILM.read_bytes()).decode()}END")
    deadline = time.monotonic() + 90
    while not (came := app.run(f"ls {WATCHED}/results/film.jpg/*/result.json", check=False)).startswith(WATCHED):
        assert time.monotonic() < deadline, app.run("journalctl -u lightbox-watcher -n 20", check=False)
        time.sleep(1)
    assert '"pneumonia"' in app.run(f"cat {came.split()[0]}")
    saw("a film laid into the watched folder: its result lies beside it")


def test_a_broken_release_undoes_itself(rehearsal: Rehearsal, saw: Saw) -> None:
    site, good = rehearsal.site, rehearsal.site.release
    site.release = site.archive("broken", {"app_service/web.py": BROKEN})
    outcome = site.play("deploy.yml", "-e", "python_service_ready_within_s=8", "--limit", "app", fails=True)
    site.release = good
    assert "The release before (second) serves again." in " ".join(outcome.output.split())
    assert "second" in rehearsal.hosts["app"].run("readlink /opt/lightbox/services/api")
    job = ask(site, "sign_in(); print(json.dumps(finished(upload())))")
    assert job["state"] == "succeeded"
    saw("the release before serves again")
