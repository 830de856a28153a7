"""The folder that holds what is known of an archive. No scan lies in it, and nothing in it leads to one but relative paths.

archive.json                which folder was indexed, and how
index.sqlite                the state of the index, so that the next one reads only what is new
files/part-NNNNN.parquet    a row for each file (`FILES`)
series.parquet              a row for each series (`SERIES`)
plan.parquet                a row for each series: what is to be done with it (`PLAN`)
fitted/GROUP.safetensors    networks that the series of a group share
runs/                       what runs did
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from demottle.archive.columns import Column
from demottle.errors import InputError

VERSION = 1
"""Of the layout; another one is refused."""

FILES = (
    Column("path", "text", "of the file, from the root, with / between folders"),
    Column("size", "int", "bytes"),
    Column("mtime_ns", "int", "when it was changed last, in nanoseconds since 1970"),
    Column("sop_uid", "text", "SOPInstanceUID; empty where it has none"),
    Column("series", "text", "key of its series; empty where it belongs to none"),
    Column("place", "int", "of its slice in the volume, from 0; missing where it holds several or none"),
    Column("wrong", "text", "why it is not used; empty where it is"),
)
SERIES = (
    Column("key", "text", "16 hexadecimal digits; the same for the same series in the same folder"),
    Column("study_uid", "text", "StudyInstanceUID"),
    Column("series_uid", "text", "SeriesInstanceUID"),
    Column("folder", "text", "that holds all its files, from the root; . for the root"),
    Column("modality", "text", "CT, MR, XA, RF, ..."),
    Column("manufacturer", "text", "Manufacturer"),
    Column("model", "text", "ManufacturerModelName"),
    Column("station", "text", "StationName"),
    Column("kernel", "text", "ConvolutionKernel"),
    Column("kvp", "float", "kV"),
    Column("mas", "float", "mean of Exposure over the slices, mAs"),
    Column("dose", "float", "CTDIvol, mGy"),
    Column("thickness", "float", "SliceThickness, mm"),
    Column("spacing_slices", "float", "distance of neighboring slices, mm; empty for frames and single slices"),
    Column("spacing_rows", "float", "mm"),
    Column("spacing_columns", "float", "mm"),
    Column("rows", "int", "of a slice"),
    Column("columns", "int", "of a slice"),
    Column("slices", "int", "slices or frames; copies count once"),
    Column("volumes", "int", "volumes in it (echoes, phases, ...); 0: a run of frames"),
    Column("body_part", "text", "BodyPartExamined"),
    Column("protocol", "text", "ProtocolName"),
    Column("description", "text", "SeriesDescription"),
    Column("number", "text", "SeriesNumber"),
    Column("date", "text", "of the acquisition or the study, YYYY-MM-DD"),
    Column("own", "bool", "it is a result of demottle"),
    Column("files", "int", "that it is read from"),
    Column("bytes", "int", "of these files"),
    Column("digest", "text", "of the paths, sizes and times of its files: another one where they changed"),
    Column("wrong", "text", "why it cannot be read as it is; empty where nothing is known of it"),
    Column("remarks", "text", "what is odd and does not hinder"),
    Column("patient", "text", "PatientID; empty unless names were asked for"),
    Column("patient_name", "text", "PatientName; empty unless names were asked for"),
)
PLAN = (
    Column("key", "text", "of the series"),
    Column("verb", "text", "denoise, or leave: nothing is done with it"),
    Column("method", "text", "name of a method; empty where the scan decides or nothing is fitted"),
    Column("settings", "text", "settings of the method as JSON"),
    Column("strength", "float", "0 to 1"),
    Column("more", "text", "what else is asked for, as JSON: seed, minutes, steps, texture, preset"),
    Column("group", "text", "series with one group share a network; empty: fitted for itself"),
    Column("model", "text", "file of a fitted network; relative ones begin at the archive's folder; empty: none yet"),
    Column("expected", "text", "method that it will get as far as one can tell beforehand"),
    Column("rule", "text", "name of the rule that it meets; empty where it meets none"),
    Column("reason", "text", "why it is done so, or not done"),
    Column("seconds", "float", "that it is expected to take on one processor core of this machine"),
    Column("bytes", "int", "that the images of the result are expected to take"),
    Column("noise", "float", "level in the image's unit, of series that were measured beforehand"),
    Column("noise_frequency", "float", "mean of its spectrum, 1/mm"),
    Column("noise_correlation", "float", "of neighboring slices"),
)


@dataclass(frozen=True)
class Told:
    """What archive.json says.

    Attributes:
        root: the folder that was indexed, as an absolute path.
        names: patients' IDs and names were asked for.
        version: of the layout.
    """

    root: str
    names: bool = False
    version: int = VERSION


class Archive:
    """Where the parts of an archive's data set lie."""

    def __init__(self, folder: Path) -> None:
        """Know the names; nothing is read or made."""
        self.folder = folder
        self.told_file = folder / "archive.json"
        self.state = folder / "index.sqlite"
        self.files = folder / "files"
        self.series = folder / "series.parquet"
        self.plan = folder / "plan.parquet"
        self.fitted = folder / "fitted"
        self.runs = folder / "runs"

    def told(self) -> Told:
        """Read archive.json.

        Raises:
            InputError: the folder is not that of an archive, or of another version of demottle.
        """
        try:
            said = json.loads(self.told_file.read_text(encoding="utf-8"))
            version = said["version"]
            if version == VERSION:
                return Told(str(said["root"]), bool(said["names"]))
        except FileNotFoundError:
            raise InputError(
                f"{self.folder} holds no data set of an archive; make one with 'demottle archive index ROOT -o {self.folder}'."
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.told_file} cannot be read; index the archive again, into a new folder.") from error
        raise InputError(
            f"{self.folder} was made by another version of demottle; index the archive again, into a new folder."
        )

    def tell(self, told: Told) -> None:
        """Write archive.json, whole or not at all."""
        new = self.told_file.with_suffix(".new")
        new.write_text(json.dumps(asdict(told), indent=2) + "\n", encoding="utf-8")
        new.replace(self.told_file)
