"""DICOM files, one or many, as studies: slices that lie side by side become a volume, other pictures an image each."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pydicom.dataset import FileDataset

from app_service.intake.dicom_header import modality, number_of_frames, read_header
from app_service.intake.dicom_image import Made, image_study
from app_service.intake.dicom_meta import plain
from app_service.intake.dicom_slices import Slice, meaning_of, slices_of
from app_service.intake.dicom_stacks import stacks_of
from app_service.intake.dicom_volume import volume_of
from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from app_service.intake.package import packed
from app_service.intake.refusals import multiframe
from app_service.intake.volume import study_of

Load = Callable[[], FileDataset]


def from_dicom(data: bytes, limits: Limits) -> Picture:
    """One file. Raises Unprocessable with the codes of `dicom_header`, `dicom_pixels`, `dicom_stacks` and
    `dicom_volume`; `multiframe_not_allowed` for a film, whose frames lie nowhere."""
    data = plain(data)  # once: frames are read one by one
    header = read_header(data, limits)
    if number_of_frames(header) == 1:
        return packed([image_study(header, 0, meaning_of(header, 0))])
    return packed([made for made, _ in studies_of([(header, lambda: read_header(data, limits))], limits)])


def studies_of(files: Sequence[tuple[FileDataset, Load]], limits: Limits) -> list[tuple[Made, list[Load]]]:
    """Of one series: headers, and how to read each file again with its pixels. Each study comes with those of the
    files that it is made of. Raises what `from_dicom` raises."""
    kind = modality(files[0][0])
    slices = [each for header, load in files for each in slices_of(header, load)]
    colour = not str(files[0][0].PhotometricInterpretation).startswith("MONOCHROME")
    stacks, single = ([], slices) if colour else stacks_of(slices)
    if any(number_of_frames(header) > 1 for header, _ in files) and (single or not stacks):
        raise multiframe()
    notes = ["burned_in"] if any(header.get("BurnedInAnnotation") == "YES" for header, _ in files) else []
    made = []
    for stack in stacks:
        volume = volume_of(stack, kind, limits)
        study = study_of(replace(volume, warnings=[*volume.warnings, *notes]), limits)
        made.append((study, list(dict.fromkeys(each.load for each in stack.slices))))
    return made + [(_image(each), [each.load]) for each in single]


def _image(each: Slice) -> Made:
    return image_study(each.load(), each.index, each.meaning)
