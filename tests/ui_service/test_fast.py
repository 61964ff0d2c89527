"""The fast setting: offered where a model has it, sent for that model alone, and said beside its answer."""

from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import outlined
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import outliner

TICK = '<input type="checkbox" name="fast" value="true"'
VOLUME = {"kind": "volume", "modality": "CT", "shape": [24, 30, 20], "spacing_mm": [2.0, 2.0, 3.0]}


def test_a_run_is_fast_where_its_model_offers_it(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study("abdomen.nii.gz", **VOLUME)
    assert TICK not in doctor.get(f"/studies/{study.id}").text
    organs = outliner("ct-organs", "volume").model_copy(update={"fast": True})
    fake.models = [outliner("ct-tissue", "volume"), organs]
    page = doctor.get(f"/studies/{study.id}").text
    assert TICK in page and "(ct-organs only)" in page
    for model, fast in (("ct-organs", True), ("ct-tissue", False)):
        doctor.post(f"/studies/{study.id}/jobs", {"model": model, "fast": "true"})
        assert [job.fast for job in fake.jobs.values() if job.model == model] == [fast]
    (job,) = (job for job in fake.jobs.values() if job.fast)
    size = {"label": "right_lung", "index": 1, "voxels": 10, "volume_ml": 2.0, "share": 0.1}
    fake.outline(job, outlined(size), {})
    page = doctor.get(f"/studies/{study.id}?job={job.id}").text
    assert "<dt>Setting</dt><dd>fast</dd>" in page and "ct-organs 1, fast</a>" in page
    assert f"{TICK} checked" in page  # another run is meant to be like the one that is shown


def test_selected_studies_can_be_run_fast(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study("abdomen.nii.gz", **VOLUME)
    fake.models = [outliner("ct-organs", "volume").model_copy(update={"fast": True})]
    assert TICK in doctor.get("/").text
    doctor.post("/selection/run", {"study": study.id, "model": "ct-organs", "fast": "true"})
    assert [job.fast for job in fake.jobs.values()] == [True]
