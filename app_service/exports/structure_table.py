"""What was measured in one or many jobs as a table for spreadsheets: CSV (RFC 4180), one line a structure."""

import csv
import io
from collections.abc import Iterable

from portal_wire.contract import Job

TABLE, CORRECTED_TABLE = "measurements.csv", "measurements_corrected.csv"
_COLUMNS = ("job_id", "study_id", "model", "version", "structure")
_WHAT = ("index", "pixels", "voxels", "area_mm2", "volume_ml", "mean_hu", "share")
_EXTENT = ("width_mm", "depth_mm", "height_mm")  # of the box around it; an image has no depth


def structure_table(jobs: Iterable[Job]) -> bytes:
    """UTF-8. What does not apply or is not known is empty: never nought."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, *_WHAT, *_EXTENT])
    for job in jobs:
        for each in job.result.measurements if job.result else ():
            values = each.model_dump()
            whose = (job.id, job.study_id, job.model, job.version, each.label)
            extent: list[object] = list(each.extent_mm or ("", "", ""))
            width, *depth, height = extent
            sizes = ["" if values[name] is None else values[name] for name in _WHAT]
            writer.writerow([*whose, *sizes, width, *(depth or [""]), height])
    return text.getvalue().encode()


def corrected_table(job: Job) -> bytes:
    """The same of a job's mask as a person corrected it."""
    if job.result is None or job.correction is None:
        return structure_table([])
    result = job.result.model_copy(update={"measurements": job.correction.measurements})
    return structure_table([job.model_copy(update={"result": result})])
