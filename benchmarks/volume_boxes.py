"""What a doctor waits for who draws a box, through the whole portal over HTTPS, and a second one on the same slice.

From the request to the mask's last byte. What the network takes of it is told beside: the first box on a slice costs
encoder and decoder, each further one the decoder alone.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.films import HEIGHT, WIDTH, films
from command_line.portal import Portal
from portal_wire.contract import Job, JobState

MODEL = "box-prompt"
FILMS, SLICES = 5, (60, 105, 150, 195, 240)
VOLUME_MASK = "combined_labels.nii.gz"
LOOK_S, PATIENCE_S = 0.02, 120
Box = list[int]
# x_min, y_min[, z], x_max, y_max[, z]: two lungs of a film, and of the drawn body.
ON_FILM = [[120, 180, 680, 960], [820, 180, 1380, 960]]
ON_SLICE = [[98, 158, 234, 354], [278, 158, 414, 354]]


class Took(NamedTuple):
    """Seconds of one box: whole, and of that in the network."""

    whole_s: float
    network_s: float


def boxes(portal: Portal, volume: str, folder: Path) -> dict[str, str]:
    """Figures by name; `volume` is the id of a study that the portal has. Raises RuntimeError when a second box costs
    the network as much as a first one."""
    pairs = [_pair(portal, study, ON_FILM, "mask.png") for study in _films(portal, folder)]
    found = _told(f"box on a film of {WIDTH} x {HEIGHT}", pairs[1:])  # the network's own first pass is not counted
    pairs = [_pair(portal, volume, _on_slice(z), VOLUME_MASK) for z in SLICES]
    arriving, *later = pairs
    found["the very first box in a CT, which was read for its tissues"] = f"{arriving[0].whole_s:.3f} s"
    return found | _told("box on a slice of the CT", later)


def boxes_on_another_day(portal: Portal, volume: str) -> dict[str, str]:
    """The same, of a portal whose ML tier holds no study: each box waits until it has got the volume."""
    took = [each.whole_s for z in SLICES for each in _pair(portal, volume, _on_slice(z), VOLUME_MASK)]
    return {
        "box in a CT that the ML tier has to get": f"{median(took):.3f} s (at most {max(took):.3f}, of {len(took)})"
    }


def _on_slice(z: int) -> list[Box]:
    return [[*box[:2], z, *box[2:], z] for box in ON_SLICE]


def _pair(portal: Portal, study: str, drawn: list[Box], mask: str) -> list[Took]:
    return [_one(portal, study, box, mask) for box in drawn]


def _one(portal: Portal, study: str, box: Box, mask: str) -> Took:
    began = time.perf_counter()
    body = {"model": MODEL, "prompts": [{"box": box}]}
    job = Job.model_validate(portal.call("POST", f"/studies/{study}/jobs", json=body).json())
    while (job := portal.job(job.id)).state in (JobState.QUEUED, JobState.RUNNING):
        if time.perf_counter() - began > PATIENCE_S:
            raise TimeoutError("no mask came")
        time.sleep(LOOK_S)
    if job.result is None:
        raise RuntimeError(f"the job {job.state}")
    _ = portal.call("GET", f"/jobs/{job.id}/artifacts/{mask}").content
    return Took(time.perf_counter() - began, job.result.timings_s.network)


def _told(what: str, pairs: list[list[Took]]) -> dict[str, str]:
    """The middle of all pairs, and the slowest."""
    found = {}
    for number, name in enumerate(("first", "second")):
        took = [pair[number] for pair in pairs]
        whole, network = [each.whole_s for each in took], [each.network_s for each in took]
        found[f"{name} {what}"] = (
            f"{median(whole):.3f} s (at most {max(whole):.3f}), in the network {1000 * median(network):.0f} ms"
        )
    spared = [first.network_s - second.network_s for first, second in pairs]
    if median(spared) <= 0:
        raise RuntimeError(f"A second box costs the encoder too: {', '.join(f'{each:.3f} s' for each in spared)} less")
    found[f"second {what} spares the encoder"] = (
        f"{1000 * median(spared):.0f} ms of each, {min(spared) * 1000:.0f} at least"
    )
    return found


def _films(portal: Portal, folder: Path) -> Iterator[str]:
    """The ids of films that the portal has just been sent."""
    for number, film in enumerate(films(FILMS)):
        file = folder / f"film-{number}.jpg"
        file.write_bytes(film)
        (study,) = portal.upload([file], [], None).studies
        yield study.id
