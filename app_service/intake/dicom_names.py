"""Which DICOM files are taken: kinds of object, transfer syntaxes with the decoder of each, and the tags that are read.

Plain strings, so that App can list them without loading a DICOM library.
"""

# PS3.5 and PS3.6. The decoder is a plugin of pydicom; None is for pixels that are not compressed.
# Left out are 12-bit JPEG, for which there is no kept and free decoder that
# pydicom trusts, and films (MPEG, HEVC).
TRANSFER_SYNTAXES: dict[str, str | None] = {
    "1.2.840.10008.1.2": None,  # implicit VR, little endian
    "1.2.840.10008.1.2.1": None,  # explicit VR, little endian
    "1.2.840.10008.1.2.1.99": None,  # the same, deflated: `dicom_meta.plain` unpacks it
    "1.2.840.10008.1.2.2": None,  # explicit VR, big endian
    "1.2.840.10008.1.2.4.50": "pillow",  # JPEG baseline, 8 bits
    "1.2.840.10008.1.2.4.57": "gdcm",  # JPEG lossless
    "1.2.840.10008.1.2.4.70": "gdcm",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "pyjpegls",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81": "pyjpegls",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.90": "pylibjpeg",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91": "pylibjpeg",  # JPEG 2000
    "1.2.840.10008.1.2.4.201": "pylibjpeg",  # HTJ2K lossless
    "1.2.840.10008.1.2.4.202": "pylibjpeg",  # HTJ2K lossless, by resolution
    "1.2.840.10008.1.2.4.203": "pylibjpeg",  # HTJ2K
    "1.2.840.10008.1.2.5": "pydicom",  # RLE
}

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# PS3.4 annex B: images. Not among them: segmentations, doses, parametric maps, reports, waveforms, whole slides.
IMAGE_CLASSES = {
    _STORAGE + number
    for number in (
        *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1"),  # computed and digital radiography, breast, teeth
        *("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130", "20"),  # CT, MR, PET, scintigraphy
        *("3", "3.1", "6", "6.1", "6.2"),  # ultrasound
        *("12.1", "12.2", "13.1.1", "13.1.2", "13.1.3", "481.1"),  # fluoroscopy, tomosynthesis, portal images
        *("7", "7.1", "7.2", "7.3", "7.4"),  # secondary capture
        *("77.1.1", "77.1.2", "77.1.4", "77.1.5.1", "77.1.5.2", "77.1.5.4"),  # visible light, eye
    )
}

# PS3.3 C.7.3.1.1.1, those of images; anything else is told as "other".
MODALITIES = {
    *("CR", "CT", "DX", "ES", "IO", "MG", "MR", "NM", "OP", "OPT", "PT", "PX", "RF", "RTIMAGE", "US", "XA", "XC"),
}

# All that is ever read of a file: what pixels mean and where they lie. Nothing here names a person, place or time.
# UIDs sort slices into series and are not kept.
TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "ImageType"),
    *("AcquisitionNumber", "EchoNumbers", "TemporalPositionIdentifier", "InstanceNumber", "BurnedInAnnotation"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("PixelSpacing", "ImagerPixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData"),
    *("BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData"),
    *("SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData"),
    "SegmentedBluePaletteColorLookupTableData",
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "PixelData", "FloatPixelData", "DoubleFloatPixelData"),
]
