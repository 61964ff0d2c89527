"""A label map as a DICOM Segmentation (PS3.3 A.51) of the series that it was made of. Runs in the sandbox's child.

The study as it was uploaded is read once more, now with the patient's data: a segmentation belongs to its patient's
record, so it carries them, and the series' frame of reference, by which viewers lay it over the images.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import nibabel
import numpy as np
from highdicom import UID, AlgorithmIdentificationSequence, Volume
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from isal import igzip
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.tag import Tag

from app_service.exports.seg_request import FACTS, MASK, NO_DICOM, ORIGINAL, Source
from app_service.intake.archive import entries, member, open_archive
from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from app_service.intake.sniff import sniff
from portal_wire.errors import Unprocessable

SAME_PLACE_MM = 0.1
# Type 2 elements (PS3.5 7.4.3): they may be empty in what came, and must be there in what goes.
MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator"),
)
METHODS = {Tag("DeidentificationMethod"), Tag("DeidentificationMethodCodeSequence")}
# SNOMED CT, of PS3.16's context groups 7150 and 7151.
CATEGORY = Code("85756007", "SCT", "Tissue")
PLAIN = Code("85756007", "SCT", "Tissue")
KNOWN = {
    "lung": Code("39607008", "SCT", "Lung"),
    "bone": Code("272673000", "SCT", "Bone"),
    "fat": Code("55603005", "SCT", "Adipose tissue"),
    "soft tissue": Code("87784001", "SCT", "Soft tissue"),
    "air": Code("15158005", "SCT", "Air"),
    "liver": Code("10200004", "SCT", "Liver"),
    "spleen": Code("78961009", "SCT", "Spleen"),
}
# PS3.16 context group 7162: how a model works. Most are networks.
NETWORK = Code("123110", "DCM", "Artificial Intelligence")
FAMILIES = {"ct-tissue": Code("123104", "DCM", "Morphological Operations")}


def from_request(data: bytes, limits: Limits) -> Picture:
    """The segmentation object's bytes. Raises Unprocessable `no_series` where the study has no series, or several, in
    the mask's place."""
    with zipfile.ZipFile(io.BytesIO(data)) as request:
        facts = json.loads(request.read(FACTS))
        labels, place = _label_map(request.read(MASK))
        labels = _numbered(labels, facts)
        series = _series(request.read(ORIGINAL), place)
    for header in series:
        for tag in [element.tag for element in header if element.is_empty and element.keyword not in MAY_BE_EMPTY]:
            del header[tag]  # an element that has to have a value where it is, and says nothing where it has none
        for name in MAY_BE_EMPTY:
            if name not in header:
                setattr(header, name, "")
        if header.get("PatientIdentityRemoved") == "YES" and not header.keys() & METHODS:
            header.DeidentificationMethod = "Not told by the source"  # one of the two has to be there (PS3.3 C.7.1.1)
        if not header.get("SliceThickness"):
            header.SliceThickness = float(np.linalg.norm(place[:3, 0]))
    try:
        made = _made(series, labels, place, facts)
    except (AttributeError, ValueError, TypeError, KeyError) as error:  # highdicom's, for a header that lacks something
        raise Unprocessable("The series' headers lack what a segmentation must say.", code="no_series") from error
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return Picture("application/dicom", labels.shape, file.getvalue(), [])


def _made(
    series: list[Dataset], labels: NDArray[np.uint8], place: NDArray[np.float64], facts: dict[str, Any]
) -> Segmentation:
    models = list(dict.fromkeys((source.model, _version(source)) for source in _sources(facts).values()))
    told = ", ".join(f"{model} {version}" for model, version in models)
    return Segmentation(
        source_images=series,
        pixel_array=Volume(labels, place, "PATIENT", str(series[0].FrameOfReferenceUID)),
        segmentation_type=SegmentationTypeValues.BINARY,  # label maps (2024) are read by few viewers yet
        segment_descriptions=_described(facts),
        series_instance_uid=UID(),
        series_number=900,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="Lightbox",
        manufacturer_model_name=", ".join(model for model, _ in models)[:64],
        software_versions=", ".join(version for _, version in models)[:64],
        device_serial_number="-",
        content_label="SEGMENTATION",
        series_description=f"{told}, research use"[:64],
    )


def _numbered(labels: NDArray[np.uint8], facts: dict[str, Any]) -> NDArray[np.uint8]:
    """With segments 1, 2, 3 …, as PS3.3 C.8.20.2 asks; what boxes were drawn round may have any numbers."""
    table = np.zeros(256, np.uint8)
    table[[int(index) for index in facts["labels"]]] = range(1, len(facts["labels"]) + 1)
    facts["sources"] = {str(number): facts["sources"][index] for number, index in enumerate(facts["labels"], 1)}
    facts["labels"] = {str(number): label for number, label in enumerate(facts["labels"].values(), 1)}
    return table[labels]


def _label_map(mask: bytes) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Labels as (slices, rows, columns), and where they lie in DICOM's left-posterior-superior axes."""
    image = nibabel.Nifti1Image.from_bytes(igzip.decompress(mask))
    labels = np.asarray(image.dataobj, np.uint8).transpose(2, 1, 0)
    place = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(image.affine, np.float64)
    return np.ascontiguousarray(labels), place[:, [2, 1, 0, 3]]


def _series(original: bytes, place: NDArray[np.float64]) -> list[Dataset]:
    """The headers of the series whose first or last slice lies where the mask begins. Of an instance that came more
    than once the last counts, as for the volume (`dicom_stacks`): highdicom would refer to each, and could not read
    what it wrote ("do not uniquely identify frames")."""
    groups: dict[str, dict[str, Dataset]] = {}
    contents = _files(original)
    if not contents:
        raise Unprocessable("The study came without any DICOM file.", code=NO_DICOM)
    for content in contents:
        header = dcmread(io.BytesIO(content), stop_before_pixels=True)
        if "FrameOfReferenceUID" in header and "Rows" in header:
            groups.setdefault(str(header.SeriesInstanceUID), {})[str(header.get("SOPInstanceUID"))] = header
    each_once = [list(series.values()) for series in groups.values()]
    found = [series for series in each_once if any(_begins(header, place[:3, 3]) for header in series)] or each_once
    if len(found) != 1:
        raise Unprocessable("The study has no DICOM series, or several, where the mask lies.", code="no_series")
    return sorted(found[0], key=lambda header: int(header.get("InstanceNumber") or 0))


def _files(original: bytes) -> Sequence[bytes]:
    if sniff(original[:1024]).media_type == "application/dicom":
        return [original]
    archive = open_archive(original)
    contents = (member(archive, entry.place) for entry in entries(archive) if entry.name.upper() != "DICOMDIR")
    return [content for content in contents if content[128:132] == b"DICM"]


def _begins(header: Dataset, origin: NDArray[np.float64]) -> bool:
    frames = [
        frame.PlanePositionSequence[0]
        for frame in header.get("PerFrameFunctionalGroupsSequence", ())
        if frame.get("PlanePositionSequence")
    ]
    positions = [each.ImagePositionPatient for each in frames or [header] if "ImagePositionPatient" in each]
    return any(np.allclose(np.array(each, float), origin, atol=SAME_PLACE_MM) for each in positions)


def _described(facts: dict[str, Any]) -> list[SegmentDescription]:
    sources = _sources(facts)
    return [
        SegmentDescription(
            segment_number=int(index),
            segment_label=label[:64],
            segmented_property_category=CATEGORY,
            segmented_property_type=KNOWN.get(label.replace("_", " ").lower(), PLAIN),
            algorithm_type=_type(sources[index]),
            algorithm_identification=_algorithm(sources[index]),
        )
        for index, label in facts["labels"].items()
    ]


def _sources(facts: dict[str, Any]) -> dict[str, Source]:
    return {index: Source(**source) for index, source in facts["sources"].items()}


def _type(source: Source) -> SegmentAlgorithmTypeValues:
    return SegmentAlgorithmTypeValues.SEMIAUTOMATIC if source.boxed else SegmentAlgorithmTypeValues.AUTOMATIC


def _algorithm(source: Source) -> AlgorithmIdentificationSequence:
    return AlgorithmIdentificationSequence(source.model, FAMILIES.get(source.model, NETWORK), _version(source))


def _version(source: Source) -> str:
    return f"{source.version} (fast setting)" if source.fast else source.version
