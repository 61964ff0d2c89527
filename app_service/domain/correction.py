"""When a mask may be corrected with another, and what its structures are called then."""

from portal_wire.contract import Job, JobState
from portal_wire.errors import Conflict, Unprocessable


def require_correctable(job: Job, other: Job) -> None:
    """Raises Conflict unless both have finished, and Unprocessable unless `other` outlined something of a person's
    boxes on the same study, beside a mask of `job`."""
    if job.id == other.id:
        raise Unprocessable("from_job: expected another job than the one that is corrected.", code="same_job")
    if job.study_id != other.study_id:
        raise Unprocessable("from_job: it ran on another study.", code="other_study")
    if not other.prompts:
        raise Unprocessable("from_job: expected a job that was started with boxes.", code="not_prompted")
    if any(each.state != JobState.SUCCEEDED for each in (job, other)):
        raise Conflict("Only a finished answer can be corrected, with a finished one.", code="wrong_state")
    if job.result is None or not job.result.measurements:
        raise Unprocessable("This job has no mask that could be corrected.", code="no_mask")
    if not shown(other):
        raise Unprocessable("from_job: nothing is outlined in its mask.", code="empty_mask")


def shown(job: Job) -> list[int]:
    """The numbers that really occur in a job's mask."""
    return [each.index for each in job.result.measurements if each.pixels or each.voxels] if job.result else []


def labels_after(job: Job, other: Job) -> tuple[dict[int, str], bool]:
    """What each number of the corrected mask means, and whether Hounsfield units were measured. The job's own names
    stay; a number that it did not have brings its name along."""
    own = job.result.measurements if job.result else []
    labels = {each.index: each.label for each in own}
    hounsfield = any(each.mean_hu is not None for each in own)
    replaced = set(shown(other))
    for each in other.result.measurements if other.result else []:
        if each.index in replaced and each.index not in labels:
            taken = each.label in labels.values()
            labels[each.index] = f"{each.label} {each.index}" if taken else each.label
    return labels, hounsfield
