"""One image that was read: denoised, checked, and held against the limits; nothing is written yet."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.denoise.outcome import Outcome, Wishes, source_of
from demottle.cli.denoise.page import page_of
from demottle.cli.denoise.series_files import gathered, refuse_series_files, sidecar_writers, writers_of
from demottle.cli.gate import gate_warning
from demottle.cli.places import Places
from demottle.cli.screen.options import told_of
from demottle.cli.screen.progress import Stages
from demottle.cli.spot_map import MAP, SPREAD, UNCERTAINTY, refuse_no_map, write_map, write_uncertainty

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.result import Result


def _map_writers(result: "Result", places: Places) -> dict[str, Callable[[Path], None]]:
    """Return what writes the maps of a result that were asked for.

    Raises:
        InputError: it has no map of spots.
    """
    writers: dict[str, Callable[[Path], None]] = {}
    if MAP in places.extras:
        found = getattr(result.check, "spots", None)
        refuse_no_map(found)
        writers[MAP] = lambda place: write_map(result.before, found, places.extras[MAP], place)
    if UNCERTAINTY in places.extras and (uncertain := result.uncertain) is not None:
        writers[UNCERTAINTY] = lambda place: write_uncertainty(uncertain, places.extras[UNCERTAINTY], place)
    if SPREAD in places.extras and (spread := result.spread) is not None:
        writers[SPREAD] = lambda place: write_uncertainty(spread, places.extras[SPREAD], place)
    return writers


def treated(scan: Path, image: "Image", places: Places, wishes: Wishes, listener: Stages) -> Outcome:
    """Denoise and check a volume or a run, with the files that belong to a series.

    Raises:
        DemottleError: for an image that cannot be used or results that cannot be written.
    """
    from demottle import io
    from demottle.pipeline.run import run

    lost = io.check_output(image, places.output, wishes.format)  # before the work
    for name in (name for name in (MAP, UNCERTAINTY, SPREAD) if name in places.extras):
        io.check_output(image, places.extras[name])
    if not image.sequence:
        refuse_series_files(image, wishes.files)
    request, files = wishes.request, wishes.files
    found = gathered(image, scan, files, request.method, listener)
    if request.model is None:
        settings = {**(request.settings or {}), **found.settings} or None
        request = replace(request, method=found.method, settings=settings)
    result = run(found.image, request, listener)
    verdict = result.judged(wishes.limits)
    refused = verdict is not None and not (verdict.passed or wishes.force)
    said = () if verdict is None else gate_warning(verdict, refused)
    known = (*told_of(image), *lost, *found.told, *result.record["warnings"])
    whole = result
    if found.whole.shape != found.image.shape:
        from demottle.pipeline.series_files import with_noise_volumes

        whole = replace(result, image=with_noise_volumes(result.image, found.whole))
    belonging = (
        writers_of(whole, found, scan, files, wishes.overwrite) if image.sequence else sidecar_writers(scan, result)
    )
    belonging = {**belonging, **_map_writers(result, places)}
    return Outcome(
        scan,
        places,
        whole,
        tuple(dict.fromkeys((*said, *known))),
        source_of(image),
        listener.seconds,
        page_of(result),
        verdict,
        refused,
        writers=belonging if places.extras else {},
    )
