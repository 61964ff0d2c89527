"""What a DICOM file may keep when it leaves without its patient's identity: all that is named here, and nothing else.

PS3.15 Annex E (Basic Application Level Confidentiality Profile) lists what must go. The libraries that follow it
(deid, dicognito, dicom-anonymizer) remove what their tables name; an element that a table has forgotten stays. Here
every element stands with the reason to keep it, and private or new ones go by themselves. The list is that of
segmentations, the only DICOM files that the portal makes.
"""

CLASSES = {"SOPClassUID", "ReferencedSOPClassUID"}
# Action U of the profile: others in their place, the same ones for the same ones.
UIDS = {
    *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
    *("ReferencedSOPInstanceUID", "DimensionOrganizationUID"),
}
# Action Z: there, and empty, since the standard wants the element (type 2).
EMPTIED = {
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator"),
    *("ContentDescription", "ContentCreatorName"),
}
# Action D: the standard wants a value (type 1); these say nothing.
DUMMIES = {"ContentDate": "20000101", "ContentTime": "000000", "DeviceSerialNumber": "-"}
SEQUENCES = {
    *("ReferencedSeriesSequence", "ReferencedInstanceSequence", "SourceImageSequence", "DerivationImageSequence"),
    *("DerivationCodeSequence", "PurposeOfReferenceCodeSequence", "DimensionOrganizationSequence"),
    *("DimensionIndexSequence", "SegmentSequence", "SegmentedPropertyCategoryCodeSequence"),
    *("SegmentedPropertyTypeCodeSequence", "SegmentationAlgorithmIdentificationSequence"),
    *("AlgorithmFamilyCodeSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("PlaneOrientationSequence", "PlanePositionSequence", "PixelMeasuresSequence", "FrameContentSequence"),
    "SegmentIdentificationSequence",
}
KEPT = {
    # What it is, and which program made it: the portal writes these itself.
    *("ImageType", "Modality", "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "SeriesNumber"),
    *("InstanceNumber", "ContentLabel", "CodeValue", "CodingSchemeDesignator", "CodeMeaning", "SegmentNumber"),
    *("SegmentLabel", "SegmentAlgorithmType", "SegmentAlgorithmName", "AlgorithmName", "AlgorithmVersion"),
    *("SegmentationType", "SegmentsOverlap", "ReferencedSegmentNumber", "SpatialLocationsPreserved"),
    # How its pixels are stored.
    *("SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "BitsAllocated"),
    *("BitsStored", "HighBit", "PixelRepresentation", "PresentationLUTShape", "LossyImageCompression", "PixelData"),
    *("LossyImageCompressionRatio", "LossyImageCompressionMethod"),
    # Where they lie, within the frame of reference, which itself is renamed.
    *("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("DimensionIndexPointer", "FunctionalGroupPointer", "DimensionDescriptionLabel", "DimensionOrganizationType"),
    "DimensionIndexValues",
}
