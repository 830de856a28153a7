"""Cone-beam CT as angiography systems store it: an X-Ray 3D Angiographic object, made by hand."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from tests.io.enhanced import OBLIQUE, ORDER, enhanced_ct, group

XA3D, CRANIOFACIAL = "1.2.840.10008.5.1.4.1.1.13.1.1", "1.2.840.10008.5.1.4.1.1.13.1.2"
_NOT_HERE = ("MultienergyCTAcquisition", "AcquisitionNumber", "VolumeBasedCalculationTechnique", "VolumetricProperties")


def cone_beam(sop_class: str = XA3D, rescale_type: str = "US", modality: str = "XA") -> Dataset:
    """Five oblique slices out of order, intercept -1024 in each frame."""
    made = enhanced_ct()
    for keyword in _NOT_HERE:
        if keyword in made:
            del made[keyword]
    made.SOPClassUID, made.Modality = sop_class, modality
    made.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    made.VolumetricProperties, made.VolumeBasedCalculationTechnique = "VOLUME", "NONE"
    acquisition = group(KVP=90.0, XRayTubeCurrentInmA=100.0, DetectorType="")
    made.XRay3DAcquisitionSequence = Items([acquisition])
    reconstruction = group(
        ReconstructionDescription="3D run",
        ApplicationName="Workstation",
        ApplicationVersion="1",
        ApplicationManufacturer="Test",
        AlgorithmType="FILTER_BACK_PROJ",
        AcquisitionIndex=1,
    )
    made.XRay3DReconstructionSequence = Items([reconstruction])
    shared = made.SharedFunctionalGroupsSequence[0]
    made.SharedFunctionalGroupsSequence = Items(
        [
            group(
                PixelMeasuresSequence=shared.PixelMeasuresSequence,
                PlaneOrientationSequence=group(ImageOrientationPatient=list(OBLIQUE)),
                FrameAnatomySequence=shared.FrameAnatomySequence,
                FrameVOILUTSequence=shared.FrameVOILUTSequence,
                XRay3DFrameTypeSequence=group(
                    FrameType=list(made.ImageType),
                    PixelPresentation="MONOCHROME",
                    VolumetricProperties="VOLUME",
                    VolumeBasedCalculationTechnique="NONE",
                    ReconstructionIndex=1,
                ),
            )
        ]
    )
    for frame in made.PerFrameFunctionalGroupsSequence:
        frame.PixelValueTransformationSequence = Items(
            [group(RescaleIntercept=-1024, RescaleSlope=1, RescaleType=rescale_type)]
        )
        if "CTPositionSequence" in frame:
            del frame.CTPositionSequence
    return made


def body(seed: int = 0, slices: int = len(ORDER), size: tuple[int, int] = (24, 20)) -> np.ndarray:
    """Stored values (HU + 1024) of a disc of tissue in air."""
    rows, columns = size
    y, x = np.mgrid[:rows, :columns]
    inside = (y - rows / 2) ** 2 + (x - columns / 2) ** 2 < (min(size) / 2.6) ** 2
    plane = np.where(inside, 1064.0, 24.0)
    return np.rint(plane + np.random.default_rng(seed).normal(0, 8, (slices, rows, columns))).astype("<i2")
