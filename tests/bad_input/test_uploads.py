"""Each bad file of the table goes through the App tier as a doctor would send it, and leaves nothing behind."""

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.bad_input.archives import MARK
from tests.bad_input.case import CANARY_NAME, CANARY_REFERENCE, Upload
from tests.bad_input.table import ROWS
from tests.bad_input.tier import Kept, Tier, rss_mb

UPLOADS = [(f"{number} {row.what}", each) for number, row in ROWS.items() for each in row.uploads]
GROWN_MB = 50
FORBIDDEN = (CANARY_NAME, "Doe_John", CANARY_REFERENCE, "Canary", "Marigold", "19700101", "onerror", "Traceback")


@pytest.mark.parametrize("upload", [each for _, each in UPLOADS], ids=[f"{name} {each.what}" for name, each in UPLOADS])
def test_it_ends_as_the_table_says(tier: Tier, upload: Upload) -> None:
    data = upload.build()
    before, refusals, rss = tier.stored(), len(tier.refusals()), rss_mb()
    with ThreadPoolExecutor(1) as beside:
        good = beside.submit(tier.good_upload)
        answer, took_s = tier.upload(data, CANARY_NAME + upload.ending)
        before["queued"] += good.result(35)
    for _ in range(3):  # a machine may do something else meanwhile
        if took_s > upload.within_s:
            tier.delete((answer.json or {}).get("studies", []))
            answer, took_s = tier.upload(data, CANARY_NAME + upload.ending)
    assert took_s <= upload.within_s
    assert answer.status_code == upload.status, answer.text
    if answer.status_code == 201:
        studies = answer.json["studies"]  # type: ignore[index]
        assert {warning["code"] for study in studies for warning in study["warnings"]} == set(upload.codes)
        if upload.look:
            upload.look(Kept(tier, studies))
        tier.delete(studies)
        assert without_queue(tier.stored()) == without_queue(before)
    else:
        refusal(tier, upload, answer)
        assert tier.stored() == before
        assert set(tier.refusals()[refusals:]) == {answer.json["code"]}  # type: ignore[index]
    del data, answer
    if rss_mb() - rss >= GROWN_MB:
        gc.collect()
    assert rss_mb() - rss < GROWN_MB
    assert not MARK.exists()
    assert tier.ready()
    said = tier.everything_said()
    assert not [word for word in (*FORBIDDEN, str(tier.folder)) if word in said]


def refusal(tier: Tier, upload: Upload, answer: Any) -> None:
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert problem["status"] == upload.status and problem["code"] in upload.codes, problem
    assert upload.says in problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    told = answer.text + str(answer.headers)
    token = tier.doctor.headers["Authorization"].split()[1]
    assert not [word for word in (*FORBIDDEN, str(tier.folder), token, "/tmp/") if word in told]


def without_queue(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: found for name, found in stored.items() if name != "queued"}
