"""`make bench-volumes`: a CT of 512 x 512 x 300 from upload to its tissues, boxes drawn on it, what packing one costs,
and networks for volumes beside their originals. With `--trial` those are tiny, and nothing is kept. `--only PART`
measures one of PARTS; parts that are measured on one day are kept together.

The CT is drawn (a body of fat with soft tissue, lungs and bone, with noise as a scanner's), so that everybody measures
the same. Memory is each process's largest, sampled while it works; what is idle has all its models loaded.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import psutil
import requests

from benchmarks import servers
from benchmarks.kept import RESULTS, machine
from benchmarks.ml_tier import MlTier
from benchmarks.packing import packing
from benchmarks.volume_boxes import boxes, boxes_on_another_day
from benchmarks.volume_networks import rounds
from command_line.portal import Portal
from ml_service.settings import SHIPPED
from portal_wire.contract import Job, JobState

SHAPE, SPACING_MM = (512, 512, 300), (0.8, 0.8, 1.5)
MODEL = "ct-tissue"
PARTS = ("packing", *rounds.NAMES, "portal")
SAMPLE_S, LOOK_S, PATIENCE_S = 0.02, 0.1, 300


def main() -> None:
    """Prints the figures and keeps them in RESULTS."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--trial", action="store_true")
    reader.add_argument("--only", choices=PARTS, action="append")
    asked = reader.parse_args()
    wanted = asked.only or list(PARTS)
    found: dict[str, Any] = {"machine": machine(), "shape": SHAPE}
    if "packing" in wanted:
        found["packing"] = packing(drawn().to_bytes()[: 64 * 2**20])
    if set(wanted) & set(rounds.NAMES):
        found["networks"] = networks([name for name in rounds.NAMES if name in wanted], asked.trial)
    if "portal" in wanted:
        found |= through_the_portal()
    lines = {name: said for part in ("packing", "way", "boxes") for name, said in found.get(part, {}).items()}
    lines |= {name: rounds.said(each) for name, each in found.get("networks", {}).items()}
    for name, value in lines.items():
        print(f"{name:<60}{value}")
    if not asked.trial:
        print(f"kept in {kept(found, RESULTS)}")


def kept(found: dict[str, Any], folder: Path) -> Path:
    """Writes what was found beside the other parts of this day. `seen` says of each which commit and machine it was."""
    seen = found["machine"]
    file = folder / f"volumes-{seen['at'][:10]}.json"
    before: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"shape": found["shape"], "seen": {}}
    for part in ("packing", "way", "boxes", "networks"):
        if part in found:
            before[part] = before.get(part, {}) | found[part]
            before["seen"] |= dict.fromkeys(found[part] if part == "networks" else [part], seen)
    folder.mkdir(exist_ok=True)
    file.write_text(json.dumps(before, indent=1) + "\n")
    return file


def through_the_portal() -> dict[str, dict[str, str]]:
    """The CT's way, and boxes drawn on it and on films, in a portal that is started for it."""
    with tempfile.TemporaryDirectory(prefix="lightbox-bench-") as made:
        folder = Path(made)
        file = folder / "ct.nii"
        file.write_bytes(drawn().to_bytes())
        with servers.portal(folder / "var") as running:
            portal = _signed_in(running)
            figures, study = way(running, portal, file)
            _say("Drawing boxes…")
            drawn_on = boxes(portal, study, folder)
        with servers.portal(folder / "var", LIGHTBOX_ML_STUDIES_MB="0") as running:
            return {"way": figures, "boxes": drawn_on | boxes_on_another_day(_signed_in(running), study)}


def _signed_in(running: servers.RunningPortal) -> Portal:
    """A doctor's portal, with all its models loaded: what they take would be counted as the CT's."""
    MlTier.of(running, []).wait_for(sorted(path.name for path in SHIPPED.iterdir()))
    sign_in = {"username": "doctor", "password": servers.PASSWORD}
    answer = requests.post(f"{running.url}/api/v1/sessions", json=sign_in, verify=running.authority, timeout=10)
    return Portal(running.url, answer.json()["token"], running.authority)


def drawn() -> "nibabel.Nifti1Image":
    """A body: an ellipse of fat, soft tissue inside, two lungs, a spine; Hounsfield units with noise of 20."""
    rng = np.random.default_rng(0)
    x, y = (np.arange(side, dtype=np.float32) - side / 2 for side in SHAPE[:2])
    outside = (x[:, None] / 210) ** 2 + (y[None] / 150) ** 2
    plane = np.where(outside < 1, -100, -1000).astype(np.float32)
    plane[outside < 0.8] = 40
    for centre in (-90, 90):
        plane[((x[:, None] - centre) / 65) ** 2 + (y[None] / 95) ** 2 < 1] = -850
    plane[(x[:, None] / 22) ** 2 + ((y[None] - 105) / 22) ** 2 < 1] = 500
    values = np.empty(SHAPE, np.int16)
    for number in range(SHAPE[2]):
        values[:, :, number] = plane + rng.normal(0, 20, SHAPE[:2]).astype(np.float32)
    image = nibabel.Nifti1Image(values, np.diag([*SPACING_MM, 1.0]))
    image.header.set_xyzt_units("mm")
    return image


def networks(names: list[str], trial: bool) -> dict[str, Any]:
    """Our networks beside those that they come from, where PyTorch is installed for it."""
    if not rounds.TORCH.exists() or not rounds.LITE_MEDSAM.exists():
        _say("PyTorch or LiteMedSAM is missing (benchmarks/volume_networks/setup.sh): networks are left out")
        return {}
    found = {}
    for what in names:
        _say(f"{rounds.NAMES[what]}…")
        found[rounds.NAMES[what]] = rounds.compared(what, *((2, 0.05) if trial else ()))
    return found


def way(running: servers.RunningPortal, portal: Portal, file: Path) -> tuple[dict[str, str], str]:
    """Uploads the CT and waits for its tissues. Returns the figures, with the largest memory of App, intake and ML on
    the way, and the study's id."""
    with Watched(running) as memory:
        before = memory.now()
        sent_at: list[float] = []
        began = time.perf_counter()
        _say("Sending the CT…")
        uploaded = portal.upload([file], [MODEL], None, lambda count: sent_at.append(time.perf_counter()))
        answered = time.perf_counter()
        _say("Waiting for its tissues…")
        job = _over(portal, uploaded.jobs[0])
    if job.state != JobState.SUCCEEDED or job.result is None:
        raise RuntimeError(f"the job {job.state}")
    megabytes = file.stat().st_size / 1e6
    timings = job.result.timings_s
    in_ml_s = timings.prepare + timings.network + timings.interpret
    figures = {
        "sent": f"{megabytes:.0f} MB at {megabytes / (sent_at[-1] - began):.0f} MB/s",
        "examined and stored after": f"{answered - sent_at[-1]:.1f} s",
        f"{MODEL}, from start to stored": f"{timings.total - timings.queue:.1f} s (in ML {in_ml_s:.1f} s)",
        **memory_taken(before, memory.most),
        "structures": ", ".join(f"{each.label} {each.volume_ml or 0:.0f} ml" for each in job.result.measurements),
    }
    return figures, job.study_id


def memory_taken(before: dict[str, float], most: dict[str, float]) -> dict[str, str]:
    """Figures of MB by tier: how much more than before, and of ML, which holds its models too, all of it."""
    found = {f"memory of {tier}, more than idle": f"{(used - before[tier]):.0f} MB" for tier, used in most.items()}
    return found | {"memory of ML at most": f"{most['ML']:.0f} MB"}


def _over(portal: Portal, job: Job) -> Job:
    deadline = time.monotonic() + PATIENCE_S
    while (job := portal.job(job.id)).state not in (JobState.SUCCEEDED, JobState.FAILED):
        if time.monotonic() > deadline:
            raise TimeoutError("no answer came")
        time.sleep(LOOK_S)
    return job


class Watched:
    """The resident memory of the tiers, children included, in MB; `most` is the largest since the block began."""

    TIERS = ("App", "intake", "worker", "ML")

    def __init__(self, running: servers.RunningPortal) -> None:
        self._running, self._stop = running, threading.Event()
        self.most = dict.fromkeys(self.TIERS, 0.0)
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def now(self) -> dict[str, float]:
        used = dict.fromkeys(self.TIERS, 0.0)
        for process in self._running.launcher.children(recursive=True):
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                tier = next((name for name in self.TIERS if servers.TIERS[name] in line), None)
                if tier and "launcher.keeper" not in line:
                    used[tier] += process.memory_info().rss / 1e6
        return used

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            for tier, used in self.now().items():
                self.most[tier] = max(self.most[tier], used)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
