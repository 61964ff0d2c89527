"""Boxes with the real network, at the REST interface: on a film, and in a volume that comes as NPZ with its boxes."""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.end_to_end.doctor import FILMS, Doctor

BOX_PROMPT = "box-prompt"


def outlined(doctor: Doctor, study: str, prompts: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"model": BOX_PROMPT, "prompts": prompts}
    job = doctor.call("POST", f"/v1/studies/{study}/jobs", json=body).json()
    done = doctor.wait(job["id"], within_s=60)
    assert done["state"] == "succeeded" and done["prompts"][0]["box"] == prompts[0]["box"], done["error"]
    return done


def file_of(doctor: Doctor, job: dict[str, Any], name: str) -> bytes:
    return doctor.call("GET", f"/v1/jobs/{job['id']}/artifacts/{name}").content


def mask_of(doctor: Doctor, job: dict[str, Any]) -> NDArray[Any]:
    return np.asarray(cv2.imdecode(np.frombuffer(file_of(doctor, job, "mask.png"), np.uint8), -1))


def test_each_box_on_a_film_gives_a_mask_of_its_own_place(doctor: Doctor) -> None:
    study, _ = doctor.upload(FILMS[0].read_bytes())
    rows, columns = study["shape"][:2]
    sides = ((0.08, 0.45), (0.55, 0.92))  # of the width: one lung each
    masks = []
    for left, right in sides:
        box = [round(left * columns), round(0.15 * rows), round(right * columns), round(0.8 * rows)]
        job = outlined(doctor, study["id"], [{"box": box}])
        mask = mask_of(doctor, job)
        assert mask.shape == (rows, columns) and job["result"]["measurements"][0]["pixels"] == (mask == 1).sum() > 0
        # Most of it lies in the box, and there is nothing on the film's other side.
        assert (mask[box[1] : box[3] + 1, box[0] : box[2] + 1] > 0).sum() > 0.8 * (mask > 0).sum()
        far = mask[:, int(0.6 * columns) :] if left < 0.5 else mask[:, : int(0.4 * columns)]
        assert not far.any()
        masks.append(mask)
    both = mask_of(
        doctor, outlined(doctor, study["id"], [{"box": [5, 5, 60, 60], "label": 3}, {"box": box, "label": 2}])
    )
    assert set(np.unique(both)) <= {0, 2, 3} and 2 in both


def test_an_npz_comes_back_with_its_segs(doctor: Doctor) -> None:
    """A bright ball in a volume that is no cube, with a truth that lies elsewhere and must not be looked at."""
    there = np.indices((20, 64, 90))
    ball = sum((there[axis] - middle) ** 2 for axis, middle in enumerate((10, 30, 60))) <= 7**2  # type: ignore[operator]
    case = np.where(ball, 200, 60) + np.random.default_rng(4).normal(0, 6, ball.shape)
    boxes = np.array([[52, 22, 5, 68, 38, 15]])
    file = io.BytesIO()
    np.savez_compressed(
        file, imgs=case.clip(0, 255).astype(np.uint8), gts=np.roll(ball, 25, axis=1), boxes=boxes, spacing=np.ones(3)
    )
    _, job = doctor.upload(file.getvalue(), "3D_ball.npz", BOX_PROMPT)
    assert job["prompts"][0]["box"] == boxes[0].tolist()
    job = doctor.wait(job["id"], within_s=120)
    assert job["state"] == "succeeded", job["error"]
    with np.load(io.BytesIO(file_of(doctor, job, "segs.npz"))) as npz:
        segs = npz["segs"]
    assert segs.shape == case.shape and 2 * (ball & (segs == 1)).sum() / (ball.sum() + (segs == 1).sum()) > 0.7
