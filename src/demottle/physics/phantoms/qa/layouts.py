"""LAYOUTS: every QA phantom that is known, by the name that `--kind` takes."""

from demottle.errors import InputError
from demottle.physics.phantoms.qa import (
    acr464,
    catphan500,
    catphan503,
    catphan504,
    catphan600,
    catphan604,
    catphan700,
    cct189,
    water,
)
from demottle.physics.phantoms.qa.layout import Layout

LAYOUTS: dict[str, Layout] = {
    module.LAYOUT.kind: module.LAYOUT
    for module in (
        catphan500,
        catphan503,
        catphan504,
        catphan600,
        catphan604,
        catphan700,
        acr464,
        cct189,
        water,
    )
}


def layout_named(kind: str) -> Layout:
    """Look a phantom up.

    Raises:
        InputError: for a name that is not one.
    """
    if kind not in LAYOUTS:
        raise InputError(f"There is no QA phantom {kind!r}; choose one of {', '.join(LAYOUTS)}.")
    return LAYOUTS[kind]
