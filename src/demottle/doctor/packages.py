"""What is installed: the packages demottle needs, those of its extras, and programs of others. Imports none of them."""

import shutil
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

EXTRAS = {
    "archive": "`demottle archive`: what is known of a whole archive, as Parquet files",
    "benchmark": "the methods bm3d and bm4d, to compare with; their license does not allow commercial use",
    "cluster": "`demottle archive run` with several workers, on one machine or many (Ray)",
    "napari": "reader and widget for napari",
    "node": "`demottle serve`: DICOM over the network",
    "onnx": "students of udca as ONNX files, and ONNX Runtime in `demottle stream`",
    "training": "TensorBoard files of `demottle train`",
}
"""Extras for users, and what each is for. The others (docs, dev) are for work on demottle itself."""
PROGRAMS = {
    "dciodvfy": "checks DICOM objects (dicom3tools)",
    "dcentvfy": "checks that the objects of a series agree (dicom3tools)",
    "dcmdump": "lists DICOM files (dcmtk)",
    "dcmdjpeg": "decompresses 12-bit JPEG, which demottle does not read (dcmtk)",
    "Orthanc": "a PACS to try results in",
}
"""Programs of others: none is needed, and none is run."""


@dataclass(frozen=True)
class Package:
    """A package that demottle needs, or can use.

    Attributes:
        name: on the package index.
        wanted: versions that will do, such as ">=2.0"; empty for any.
        version: the one installed; None: not there.
        fits: False where it is missing or of another version.
    """

    name: str
    wanted: str
    version: str | None
    fits: bool


@dataclass(frozen=True)
class Extra:
    """A group of packages for one purpose, installed with `pip install "demottle[NAME]"`."""

    name: str
    purpose: str
    packages: tuple[Package, ...]

    @property
    def complete(self) -> bool:
        """True where all of them are there, and demottle's metadata know of them."""
        return bool(self.packages) and all(package.fits for package in self.packages)


def needed_packages() -> tuple[Package, ...]:
    """What demottle cannot do without, as its own metadata say; empty where it is not installed as a package."""
    return tuple(_looked_up(one) for one in _requirements() if one.marker is None or one.marker.evaluate({"extra": ""}))


def extras() -> tuple[Extra, ...]:
    """The extras for users, with what is there of each."""
    listed = _requirements()
    return tuple(
        Extra(name, purpose, tuple(_looked_up(one) for one in listed if _belongs_to(one, name)))
        for name, purpose in EXTRAS.items()
    )


def programs() -> dict[str, bool]:
    """Programs of others by name, and whether they can be found."""
    return {name: shutil.which(name) is not None for name in PROGRAMS}


def _requirements() -> list[Requirement]:
    try:
        return [Requirement(line) for line in metadata.requires("demottle") or ()]
    except metadata.PackageNotFoundError:  # run from its source, not installed
        return []


def _belongs_to(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _looked_up(requirement: Requirement) -> Package:
    wanted = str(requirement.specifier)
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Package(requirement.name, wanted, None, False)
    return Package(requirement.name, wanted, version, requirement.specifier.contains(version, prereleases=True))
