"""What the stand-in for App answers about boxes that people draw, and masks that they correct."""

import io
from typing import Any

import numpy as np
from flask import Flask, Response, request
from PIL import Image

from portal_wire.contract import Correction, Job, Model, Notice, Prompt, Result
from portal_wire.errors import NotFound, Unprocessable
from tests.ui_service.fake_answers import outlined
from tests.ui_service.fake_models import MODEL
from tests.ui_service.fake_server import known, wire


def outliner_of_boxes() -> Model:
    """A model that outlines what boxes are drawn round, in images and volumes."""
    facts = {"name": "box-prompt", "title": "Outline by boxes", "task": "Outline what a box holds", "kind": "any"}
    facts |= {"modalities": ["DX", "CR", "CT", "MR"], "labels": ["object"], "negative_label": None, "prompted": True}
    return MODEL.model_copy(update=facts)


def filled(fake: Any, job: Job, warnings: tuple[dict[str, str], ...] = ()) -> Job:
    """The run succeeds with a mask that fills every box of an image."""
    rows, columns = fake.studies[job.study_id].shape[:2]
    mask = np.zeros((rows, columns), np.uint8)
    for prompt in job.prompts:
        left, top, right, bottom = (int(value) for value in prompt.box)
        mask[top : bottom + 1, left : right + 1] = prompt.label
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    done: Job = fake.outline(job, measured(mask, warnings), {"mask.png": out.getvalue(), "segs.npz": b"PK"})
    return done


def measured(mask: Any, warnings: tuple[dict[str, str], ...] = (), unit: str = "pixels") -> Result:
    """What the model says of a mask: how large each object is."""
    found = [(int(index), int((mask == index).sum())) for index in np.unique(mask) if index]
    sizes = [
        {"label": f"object_{index}", "index": index, unit: count, "share": count / mask.size} for index, count in found
    ]
    return outlined(*sizes).model_copy(update={"warnings": [Notice.model_validate(each) for each in warnings]})


def equip(app: Flask, fake: Any) -> None:
    """Add the routes; with `fake.fills` a run on an image is outlined as soon as it is asked for."""

    @app.post("/v1/studies/<study_id>/jobs")
    def ask(study_id: str) -> tuple[Response, int]:
        body = request.get_json()
        study, model = known(fake.studies, study_id), known({each.name: each for each in fake.models}, body["model"])
        prompts = [Prompt.model_validate(each) for each in body["prompts"]]
        if not (model.prompted and prompts):
            raise Unprocessable("Boxes are missing.", code="prompts_missing")
        rows, columns = study.shape[:2]
        for number, prompt in enumerate(prompts):
            half = len(prompt.box) // 2
            if not (
                0 <= prompt.box[0] < prompt.box[half] < columns and 0 <= prompt.box[1] < prompt.box[half + 1] < rows
            ):
                raise Unprocessable(f"prompts[{number}].box: x must lie from 0 to {columns - 1}.", code="bad_prompt")
        job = fake.add_job(study, model=model.name, prompts=prompts)
        if fake.fills:
            filled(fake, job)
        return wire(job), 202

    @app.put("/v1/jobs/<job_id>/correction")
    def correct(job_id: str) -> Response:
        job, drawn = known(fake.jobs, job_id), known(fake.jobs, request.get_json()["from_job"])
        if drawn.study_id != job.study_id:
            raise Unprocessable("from_job: a run on another study.", code="other_study")
        name = "mask_corrected.png" if fake.studies[job.study_id].kind == "image" else "mask_corrected.nii.gz"
        own = "mask.png" if name.endswith(".png") else "combined_labels.nii.gz"
        fake.files[job.id, name] = fake.files[drawn.id, own]
        link = {"name": name, "media_type": "x/y", "size_bytes": 9, "url": f"/v1/jobs/{job.id}/artifacts/{name}"}
        correction = Correction(from_job=drawn.id, measurements=drawn.result.measurements, corrected_by="doctor")
        artifacts = [each.model_dump() for each in job.artifacts]
        return wire(fake.change(job, correction=correction.model_dump(), artifacts=[*artifacts, link]))

    @app.delete("/v1/jobs/<job_id>/correction")
    def uncorrect(job_id: str) -> Response:
        job = known(fake.jobs, job_id)
        if job.correction is None:
            raise NotFound("This mask was not corrected.", code="no_correction")
        artifacts = [each.model_dump() for each in job.artifacts if "corrected" not in each.name]
        return wire(fake.change(job, correction=None, artifacts=artifacts))
