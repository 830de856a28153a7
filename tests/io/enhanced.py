"""True Enhanced CT and MR objects, as scanners write them: functional groups made by hand, nothing converted."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

ORDER = (3, 0, 4, 1, 2)
"""In-stack position (from 0) of each frame: frames of an object may lie in any order."""
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)
NORMAL = np.array([0.0, -0.6, 0.8])
ORIGIN = np.array([-11.0, -7.0, 25.0])
GAP = 2.5
ROWS, COLUMNS = 24, 20


def code(value: str, scheme: str, meaning: str) -> Dataset:
    return group(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def group(**values: Any) -> Dataset:
    """A dataset with these attributes; a dataset as value becomes a sequence of one item."""
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, Items([value]) if isinstance(value, Dataset) else value)
    return made


def position(in_stack: int) -> list[float]:
    return [round(float(v), 6) for v in ORIGIN + in_stack * GAP * NORMAL]


def enhanced_ct() -> Dataset:
    """Five frames of 16 bits signed, slope 1; the intercept differs from frame to frame."""
    dataset = _common("CT", EnhancedCTImageStorage)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.MultienergyCTAcquisition = "NO"
    shared = _shared()
    shared.CTImageFrameTypeSequence = Items([_frame_type(dataset)])
    shared.CTAcquisitionTypeSequence = Items(
        [
            group(
                AcquisitionType="SPIRAL",
                ConstantVolumeFlag="NO",
                FluoroscopyFlag="NO",
            )
        ]
    )
    shared.CTAcquisitionDetailsSequence = Items(
        [
            group(
                RotationDirection="CW",
                RevolutionTime=0.5,
                SingleCollimationWidth=0.6,
                TotalCollimationWidth=38.4,
                TableHeight=150.0,
                GantryDetectorTilt=0.0,
                DataCollectionDiameter=500.0,
            )
        ]
    )
    shared.CTTableDynamicsSequence = Items([group(TableSpeed=46.0, TableFeedPerRotation=23.0, SpiralPitchFactor=0.6)])
    shared.CTGeometrySequence = Items(
        [group(DistanceSourceToDetector=1040.0, DistanceSourceToDataCollectionCenter=570.0)]
    )
    shared.CTReconstructionSequence = Items(
        [
            group(
                ReconstructionAlgorithm="FILTER_BACK_PROJ",
                ConvolutionKernel="B40f",
                ConvolutionKernelGroup="SOFT_TISSUE",
                ReconstructionDiameter=16.0,
                ReconstructionPixelSpacing=[0.8, 0.7],
                ReconstructionAngle=360.0,
                ImageFilter="NONE",
            )
        ]
    )
    shared.CTExposureSequence = Items(
        [
            group(
                ExposureTimeInms=500.0,
                XRayTubeCurrentInmA=100.0,
                ExposureInmAs=50.0,
                ExposureModulationType="NONE",
                CTDIvol=3.5,
                WaterEquivalentDiameter=250.0,
                WaterEquivalentDiameterCalculationMethodCodeSequence=code("113987", "DCM", "AAPM 220"),
                CTDIPhantomTypeCodeSequence=code("113691", "DCM", "IEC Body Dosimetry Phantom"),
            )
        ]
    )
    shared.CTXRayDetailsSequence = Items(
        [
            group(
                KVP=120.0,
                FocalSpots=[1.2],
                FilterType="NONE",
                FilterMaterial="ALUMINUM",
                CalciumScoringMassFactorPatient=0.7,
            )
        ]
    )
    shared.IrradiationEventIdentificationSequence = Items([group(IrradiationEventUID=_uid("event"))])
    for frame, in_stack in zip(dataset.PerFrameFunctionalGroupsSequence, ORDER, strict=True):
        frame.PixelValueTransformationSequence = Items(
            [group(RescaleIntercept=-1024 - in_stack, RescaleSlope=1, RescaleType="HU")]
        )
        frame.CTPositionSequence = Items(
            [
                group(
                    TablePosition=10.0 * in_stack,
                    DataCollectionCenterPatient=[0.0, 0.0, 0.0],
                    ReconstructionTargetCenterPatient=[0.0, 0.0, 0.0],
                )
            ]
        )
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    return dataset


def enhanced_mr() -> Dataset:
    """Five frames of 12 bits unsigned; the slope differs from frame to frame."""
    dataset = _common("MR", EnhancedMRImageStorage)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ANGIO", "NONE"]
    dataset.update(_pulse_sequence())
    shared = _shared()
    frame_type = _frame_type(dataset)
    frame_type.ComplexImageComponent, frame_type.AcquisitionContrast = "MAGNITUDE", "T1"
    shared.MRImageFrameTypeSequence = Items([frame_type])
    dataset.ComplexImageComponent, dataset.AcquisitionContrast = "MAGNITUDE", "T1"
    shared.update(_mr_groups())
    for frame, in_stack in zip(dataset.PerFrameFunctionalGroupsSequence, ORDER, strict=True):
        frame.PixelValueTransformationSequence = Items(
            [group(RescaleIntercept=0, RescaleSlope=1 + in_stack, RescaleType="US")]
        )
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    return dataset


def _pulse_sequence() -> Dataset:
    return group(
        PulseSequenceName="fl3d",
        MRAcquisitionType="3D",
        EchoPulseSequence="GRADIENT",
        MultiPlanarExcitation="NO",
        PhaseContrast="NO",
        TimeOfFlightContrast="NO",
        SteadyStatePulseSequence="NONE",
        EchoPlanarPulseSequence="NO",
        SaturationRecovery="NO",
        SpectrallySelectedSuppression="NONE",
        OversamplingPhase="NONE",
        GeometryOfKSpaceTraversal="RECTILINEAR",
        RectilinearPhaseEncodeReordering="LINEAR",
        SegmentedKSpaceTraversal="SINGLE",
        CoverageOfKSpace="FULL",
        NumberOfKSpaceTrajectories=1,
        ResonantNucleus="1H",
        KSpaceFiltering="NONE",
        MagneticFieldStrength=1.5,
        ApplicableSafetyStandardAgency="IEC",
        IsocenterPosition=[0.0, 0.0, 0.0],
        B1rms=1.0,
    )


def _mr_groups() -> Dataset:
    return group(
        MRTimingAndRelatedParametersSequence=group(
            RepetitionTime=500.0,
            FlipAngle=30.0,
            EchoTrainLength=1,
            RFEchoTrainLength=0,
            GradientEchoTrainLength=1,
            SpecificAbsorptionRateSequence=group(
                SpecificAbsorptionRateDefinition="IEC_WHOLE_BODY", SpecificAbsorptionRateValue=0.1
            ),
            GradientOutputType="DB_DT",
            GradientOutput=1.0,
            OperatingModeSequence=group(OperatingModeType="GRADIENT", OperatingMode="IEC_NORMAL"),
        ),
        MRFOVGeometrySequence=group(
            InPlanePhaseEncodingDirection="ROW",
            MRAcquisitionFrequencyEncodingSteps=24,
            MRAcquisitionPhaseEncodingStepsInPlane=20,
            MRAcquisitionPhaseEncodingStepsOutOfPlane=5,
            PercentSampling=100.0,
            PercentPhaseFieldOfView=100.0,
        ),
        MREchoSequence=group(EffectiveEchoTime=5.0),
        MRModifierSequence=group(
            InversionRecovery="NO",
            FlowCompensation="NONE",
            Spoiling="RF",
            T2Preparation="NO",
            SpectrallySelectedExcitation="NONE",
            SpatialPresaturation="NONE",
            PartialFourier="NO",
            ParallelAcquisition="NO",
        ),
        MRImagingModifierSequence=group(
            MagnetizationTransfer="NONE",
            BloodSignalNulling="NO",
            Tagging="NONE",
            TransmitterFrequency=63.8,
            PixelBandwidth=200.0,
        ),
        MRReceiveCoilSequence=group(
            ReceiveCoilName="BODY",
            ReceiveCoilManufacturerName="Test",
            ReceiveCoilType="BODY",
            QuadratureReceiveCoil="YES",
        ),
        MRTransmitCoilSequence=group(
            TransmitCoilName="BODY", TransmitCoilManufacturerName="Test", TransmitCoilType="BODY"
        ),
        MRAveragesSequence=group(NumberOfAverages=1.0),
    )


def _common(modality: str, sop_class: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID, dataset.StudyInstanceUID = _uid(modality, "instance"), _uid("study")
    dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = _uid(modality, "series"), _uid("frame")
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate, dataset.PatientSex = (
        "TEST^PATIENT",
        "4711",
        "",
        "O",
    )
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = "20200102"
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = "101112"
    dataset.AcquisitionDateTime, dataset.AcquisitionDuration = "20200102101112", 4.0
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.PositionReferenceIndicator = ""
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber, dataset.AcquisitionNumber = "S1", 7, 1, 1
    dataset.Modality, dataset.SeriesDescription, dataset.PatientPosition = modality, "Enhanced", "HFS"
    dataset.Manufacturer, dataset.ManufacturerModelName = "Test", "Scanner"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", "1"
    dataset.ContentQualification, dataset.BurnedInAnnotation, dataset.LossyImageCompression = "RESEARCH", "NO", "00"
    dataset.PixelPresentation, dataset.VolumetricProperties = "MONOCHROME", "VOLUME"
    dataset.VolumeBasedCalculationTechnique, dataset.PresentationLUTShape = "NONE", "IDENTITY"
    dataset.AcquisitionContextSequence = Items([])
    _set_pixels(dataset, signed=modality == "CT")
    _set_dimensions(dataset)
    dataset.PerFrameFunctionalGroupsSequence = Items([_frame(number) for number in range(len(ORDER))])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _set_pixels(dataset: Dataset, signed: bool) -> None:
    values = np.random.default_rng(5).normal(1060, 20, (len(ORDER), ROWS, COLUMNS)).astype("<i2")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.PixelRepresentation = 16, int(signed)
    dataset.BitsStored, dataset.HighBit = (16, 15) if signed else (12, 11)
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"


def _set_dimensions(dataset: Dataset) -> None:
    organization = _uid("dimensions")
    dataset.DimensionOrganizationSequence = Items([group(DimensionOrganizationUID=organization)])
    dataset.DimensionIndexSequence = Items(
        [
            group(
                DimensionOrganizationUID=organization,
                DimensionIndexPointer=pointer,
                FunctionalGroupPointer=0x00209111,
                DimensionDescriptionLabel=label,
            )
            for pointer, label in ((0x00209056, "Stack ID"), (0x00209057, "In-Stack Position Number"))
        ]
    )


def _frame(number: int) -> Dataset:
    in_stack = ORDER[number]
    return group(
        FrameContentSequence=group(
            FrameAcquisitionNumber=1,
            FrameReferenceDateTime="20200102101112",
            FrameAcquisitionDateTime="20200102101112",
            FrameAcquisitionDuration=1.0,
            StackID="1",
            InStackPositionNumber=in_stack + 1,
            DimensionIndexValues=[1, in_stack + 1],
        ),
        PlanePositionSequence=group(ImagePositionPatient=position(in_stack)),
    )


def _shared() -> Dataset:
    anatomy = group(FrameLaterality="U", AnatomicRegionSequence=code("816094009", "SCT", "Chest, Abdomen and Pelvis"))
    return group(
        PixelMeasuresSequence=group(PixelSpacing=[0.8, 0.7], SliceThickness=2.5),
        PlaneOrientationSequence=group(ImageOrientationPatient=list(OBLIQUE)),
        FrameAnatomySequence=anatomy,
        FrameVOILUTSequence=group(WindowCenter=40, WindowWidth=400),
    )


def _frame_type(dataset: Dataset) -> Dataset:
    return group(
        FrameType=list(dataset.ImageType),
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )


def _uid(*words: str) -> str:
    return str(generate_uid(entropy_srcs=["enhanced", *words]))
