"""What the files of an answer and of a model card are, in words."""

from portal_wire.contract import Job
from ui_service import words

_PLOTS = {
    "roc": "Receiver operating characteristic: sensitivity against false alarms",
    "reliability": "Reliability: said probability against how often it was so",
    "confusion": "Confusion: what was said against what was so",
    "precision recall": "Precision against recall",
    "curves": "Training: loss and score by epoch",
    "deletion": "Greying the hottest places first: does the answer rest on them?",
    "learning curve": "Score by the number of training patients: would more of them help?",
}
_FILES = {
    "heatmap.png": "Heatmap",
    "overlay.png": "Heatmap over the image",
    "mask.png": "Mask, its structures numbered",
    "combined_labels.nii.gz": "Mask, its structures numbered",
    "mask_corrected.png": "Mask as corrected",
    "mask_corrected.nii.gz": "Mask as corrected",
    "overlay_corrected.png": "Mask as corrected, over the study",
    "seg_corrected.dcm": "DICOM Segmentation as corrected",
    "statistics_corrected.json": "What the corrected numbers mean",
    "measurements_corrected.csv": "Measurements as corrected (CSV)",
    "segs.npz": "Masks as NPZ (segs)",
    "seg.dcm": "DICOM Segmentation",
    "statistics.json": "What the numbers mean, with every figure",
    "labels.csv": "What the numbers mean (CSV)",
    "measurements.csv": "Measurements (CSV)",
}


def file_name(artifact: str, job: Job) -> str:
    """What a file of an answer is, for the list of downloads."""
    if artifact == "overlay.png" and job.result and job.result.measurements:
        flat = any(each.pixels is not None for each in job.result.measurements)
        return "Mask over the image" if flat else "Mask over three slices"
    folder, _, structure = artifact.rpartition("/")
    if folder == "segmentations":
        return f"Mask of {words.noun(structure.partition('.')[0])}"
    if folder == "surfaces":
        return f"Surface of {words.noun(structure.partition('.')[0])} (STL)"
    return _FILES.get(artifact, artifact)


def with_surfaces(job: Job) -> bool:
    """Whether its masks can be had as surfaces too."""
    return any(item.name.startswith("surfaces/") for item in job.artifacts)


def plot_name(plot: str) -> str:
    """What a plot shows, by its file name: roc.png is "Roc"."""
    plain = plot.rsplit(".", 1)[0].replace("_", " ").replace("-", " ")
    return _PLOTS.get(plain.lower(), plain.capitalize())
