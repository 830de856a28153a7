"""The options that more than one verb takes, and how their text becomes values."""

import json
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from demottle.image import Image

READING = "Reading and writing"
_UNSAID = "whether this is CT or MR"
_SAY_IT = "if it is CT in HU, use --modality CT, otherwise --modality MR."

Scan = Annotated[Path, typer.Argument(metavar="SCAN", help="DICOM folder, file or zip; NIfTI, MHA, TIFF, .npy, MP4...")]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of tables.")]
Debug = Annotated[bool, typer.Option("--debug", metavar="", help="Show the traceback of an error.")]
Series = Annotated[
    str | None,
    typer.Option(metavar="UID|NUMBER", help="DICOM series, if there are several.", rich_help_panel=READING),
]
Volume = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Volume, if the series has several (see inspect).", rich_help_panel=READING),
]
Spacing = Annotated[
    str | None,
    typer.Option(metavar="Z,Y,X", help="Voxel size in mm (frames: s), if the file has none.", rich_help_panel=READING),
]
Modality = Annotated[
    str | None,
    typer.Option(
        metavar="CT|MR|XA|RF", help="Modality, if the file does not say. XA, RF: frames.", rich_help_panel=READING
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(metavar="HU", help="Unit, if a CT does not say that it is in HU.", rich_help_panel=READING),
]
AcceptUneven = Annotated[
    bool, typer.Option("--accept-uneven", metavar="", help="Accept uneven slice distances.", rich_help_panel=READING)
]

MethodFile = Annotated[
    Path | None,
    typer.Option("--method-file", metavar="FILE.py", help="A method of your own.", rich_help_panel="Method"),
]


def use_method_file(path: Path | None) -> None:
    """Know the method of a Python file from here on, where one is given."""
    if path is not None:
        from demottle.methods import use_file

        use_file(path)


def refuse_idle_method_file(path: Path | None, method: str | None, model: Path | None) -> None:
    """Raise BadParameter where a file gives a method that nothing asks for."""
    if path is not None and method is None and model is None:
        raise typer.BadParameter(
            "makes a method known; ask for it with --method, or with a --model", param_hint="--method-file"
        )


def parse_spacing(text: str | None) -> tuple[float, float, float] | None:
    """Read "Z,Y,X" in mm, three positive numbers."""
    if text is None:
        return None
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not three numbers like 3,0.8,0.8", param_hint="--spacing") from None
    if not all(0 < distance < inf for distance in (z, y, x)):
        raise typer.BadParameter(f"'{text}' holds a distance that is not positive", param_hint="--spacing")
    return z, y, x


def parse_modality(text: str | None) -> str | None:
    """Read a modality in capitals or not; one that demottle does not know is refused before anything is read."""
    from demottle.io.reading import known_modality

    return known_modality(text)


def parse_unit(text: str | None) -> str | None:
    """Read "HU"; any other unit is refused before anything is read."""
    from demottle.io.reading import known_unit

    return known_unit(text)


def parse_texture(text: str | None) -> float | str | None:
    """Read a share between 0 and 1, or "auto"."""
    if text is None or text == "auto":
        return text
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise typer.BadParameter(f"'{text}' is neither a number from 0 to 1 nor auto", param_hint="--texture")
    return share


def told_of(image: "Image") -> tuple[str, ...]:
    """What reading the image warned of; where nobody says the modality, with the option that does, in one sentence."""
    from demottle import io

    warnings = list(io.warnings_of(image))
    if image.modality != "OT":
        return tuple(warnings)
    for index, warning in enumerate(warnings):
        if _UNSAID in warning:
            warnings[index] = f"{warning.removesuffix('.')}; {_SAY_IT}"
            return tuple(warnings)
    return (*warnings, f"Nothing says {_UNSAID}: {_SAY_IT}")


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """Read "key=value" pairs; numbers, true, false, null and lists, [1,2] or (1,2), are understood, anything else is text."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"'{pair}' is not of the form key=value", param_hint="--set")
        settings[key.strip()] = _value_of(text.strip())
    return settings


def _value_of(text: str) -> Any:
    words = {"True": True, "False": False, "None": None, "yes": True, "no": False}
    if text in words:
        return words[text]
    # The messages tell of a list as Python writes it, (64, 128): it has to be understood too.
    listed = f"[{text[1:-1].rstrip(', ')}]" if text.startswith("(") and text.endswith(")") else text
    try:
        return json.loads(listed)
    except ValueError:
        return text


def refuse_two_limits(minutes: float | None, steps: int | None) -> None:
    """Raise BadParameter where learning is limited twice."""
    if minutes is not None and steps is not None:
        raise typer.BadParameter("says how long to learn already, so leave out --steps", param_hint="--minutes")


def refuse_saving_a_model(model: Path | None, save_model: Path | None) -> None:
    """Raise BadParameter where a model is given and one is to be saved: nothing is learned."""
    if model is not None and save_model is not None:
        raise typer.BadParameter("learns nothing, so --save-model does not go with it", param_hint="--model")
