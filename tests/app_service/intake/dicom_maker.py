"""DICOM files for tests, written by pydicom, with a patient in them who must never be seen again."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CANARY = "Canary^Marigold"
NO_CLASS = "1.2.826.0.1.3680043.8.498.1"  # a valid UID that names no class; the header may not lack one
DIGITAL_X_RAY = "1.2.840.10008.5.1.4.1.1.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def made(pixels: NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> bytes:
    """A file of these pixels: (rows, columns) grey, (rows, columns, 3) colour, 8 or 16 bits, signed or not.

    `elements` by keyword are added or, with None, left out.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    bits = pixels.dtype.itemsize * 8
    values: dict[str, Any] = {
        "SOPClassUID": DIGITAL_X_RAY,
        "SOPInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "Modality": "DX",
        "PatientName": CANARY,
        "PatientID": "Canary-4711",
        "StudyDescription": "<img src=x onerror=alert('Canary')>",
        "PatientBirthDate": "19700101",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1 if pixels.ndim == 2 else 3,
        "PhotometricInterpretation": "MONOCHROME2" if pixels.ndim == 2 else "RGB",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes(),
    }
    if pixels.ndim == 3:
        values["PlanarConfiguration"] = 0
    for name, value in (values | elements).items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", NO_CLASS)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", generate_uid())
    dataset["PixelData"].VR = "OW"
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def enhanced(values: NDArray[Any], affine: NDArray[Any], order: Sequence[int], **elements: Any) -> bytes:
    """An Enhanced CT (PS3.3 A.38): all of `values`, (slices, rows, columns), in one file, its frames in this order.

    `affine` as NIfTI has it. The rescale of slice n is to n - 24: each frame has its own.
    """
    lps = np.diag([-1, -1, 1, 1]) @ affine
    columns_mm, rows_mm, slices_mm = np.linalg.norm(lps[:3, :3], axis=0)
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [rows_mm, columns_mm], slices_mm
    orientation.ImageOrientationPatient = [*(lps[:3, 0] / columns_mm), *(lps[:3, 1] / rows_mm)]
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    frames = []
    for number in order:
        position, rescale, frame = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = list(np.round(lps[:3, 3] + number * lps[:3, 2], 6))
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1, number - 24, "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [position], [rescale]
        frames.append(frame)
    told: dict[str, Any] = {
        "SOPClassUID": ENHANCED_CT,
        "Modality": "CT",
        "NumberOfFrames": len(values),
        "PixelData": values[list(order)].tobytes(),
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": frames,
    }
    return made(values[0], **told | elements)
