"""What was measured in one or many jobs as a table for spreadsheets: CSV (RFC 4180), one line a structure."""

import csv
import io
from collections.abc import Iterable

from portal_wire.contract import Job

TABLE = "measurements.csv"
_COLUMNS = ("job_id", "study_id", "model", "version", "structure")
_WHAT = ("index", "pixels", "voxels", "area_mm2", "volume_ml", "mean_hu", "share")


def structure_table(jobs: Iterable[Job]) -> bytes:
    """UTF-8. What does not apply or is not known is empty: never nought."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, *_WHAT])
    for job in jobs:
        for each in job.result.measurements if job.result else ():
            values = each.model_dump()
            whose = (job.id, job.study_id, job.model, job.version, each.label)
            writer.writerow([*whose, *("" if values[name] is None else values[name] for name in _WHAT)])
    return text.getvalue().encode()
