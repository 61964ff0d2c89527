"""Which mask of a run is shown: the model's own, or what a person made of it, and the figures that belong to it."""

from portal_wire.contract import Job, Result

_OWN = ("mask.png", "combined_labels.nii.gz")
_CORRECTED = ("mask_corrected.png", "mask_corrected.nii.gz")


def own_mask(job: Job) -> str | None:
    """The name of the artifact with the model's own mask."""
    return next((artifact.name for artifact in job.artifacts if artifact.name in _OWN), None)


def shown_mask(job: Job) -> str | None:
    """The name of the artifact to show: the corrected mask where a person has made one."""
    if job.correction:
        corrected = next((artifact.name for artifact in job.artifacts if artifact.name in _CORRECTED), None)
        return corrected or own_mask(job)
    return own_mask(job)


def figures(job: Job) -> Result | None:
    """The result with the figures of the mask that is shown."""
    if job.result is None or job.correction is None or not job.correction.measurements:
        return job.result
    return job.result.model_copy(update={"measurements": job.correction.measurements})
