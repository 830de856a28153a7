"""Write the page: everything a reader needs to judge a result, in one HTML file that works offline."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from demottle.errors import InputError
from demottle.image import Image
from demottle.io.output import staged
from demottle.quality.check.verdicts import moved
from demottle.quality.check.whole import Check
from demottle.quality.evaluation import Evaluation
from demottle.quality.measures import SCORES, in_words, measure, rows_of
from demottle.quality.objects.sharpness import Pooled, pooled
from demottle.quality.texture import TextureSample
from demottle.quality.truth.whole import Comparison
from demottle.quality.uncertainty.derived import Uncertainty
from demottle.quality.worst import WorstSlice, worst_slice
from demottle.report import curves, plots, uncertainty, words
from demottle.report.contract import contract_rows
from demottle.report.done import done_groups
from demottle.report.planes import coding_of, plane_sets
from demottle.report.spots import layer, marks, spotted
from demottle.report.texture import texture_picture
from demottle.report.windows import windows_of


def write_page(
    before: Image,
    after: Image,
    check: Check,
    record: Mapping[str, Any],
    path: Path,
    truth_comparison: Comparison | None = None,
    evaluation: Evaluation | None = None,
    truth: Image | None = None,
    texture: TextureSample | None = None,
    uncertain: Uncertainty | None = None,
) -> None:
    """Write one self-contained HTML page (10 MB or so) about a denoised image.

    Args:
        before, after: images of one shape.
        check: what `demottle.quality.check.whole` measured on them.
        record: what was done, as it goes into `run.json`: method, settings, version, seed, model_hash, plan_reasons,
            warnings, times, source, strength, ... Any key may be missing. Paths and patient data in it are not shown.
        path: the page; appears only when complete.
        truth_comparison: what `against_truth` measured, where a truth is known.
        evaluation: what `demottle.quality.evaluation` measured besides, where it was asked.
        truth: the noise-free image, to show errors.
        texture: a slice without and with texture, to be shown side by side.
        uncertain: standard error of every voxel of `after`, to be shown with a legend, and its median by tissue.

    Raises:
        InputError: where the shapes differ.
        OutputError: where the page cannot be written.
    """
    for name, other in (("after", after), ("the truth", truth)):
        if other is not None and before.shape != other.shape:
            raise InputError(
                f"Before has shape {before.shape} and {name} {other.shape}; the report needs images of one shape."
            )
    path = Path(path)
    compared = truth_comparison or (None if evaluation is None else evaluation.truth)
    write_whole(_html(before, after, check, record, compared, evaluation, truth, texture, uncertain), path)


def _html(
    before: Image,
    after: Image,
    check: Check,
    record: Mapping[str, Any],
    compared: Comparison | None,
    evaluation: Evaluation | None,
    truth: Image | None,
    texture: TextureSample | None,
    uncertain: Uncertainty | None,
) -> str:
    environment, css = environment_and_style()
    js = Markup(source_of(environment, "dicom.js") + source_of(environment, "viewer.js"))
    worst = worst_slice(before, after) if evaluation is None else evaluation.worst
    gate = record.get("gate") if evaluation is None else evaluation.gate.to_dict()
    template = environment.get_template("page.html.j2")
    return template.render(
        css=css,
        js=js,
        viewer=_script_json(_viewer(before, after, check, truth, worst, uncertain) | {"strength": strength_of(record)}),
        title=words.series_title(record),
        facts=words.facts(before, record),
        cards=[*words.gate_cards(gate), *words.cards(check)],
        warnings=words.warnings(check.warnings, record),
        reasons=words.sentences(record.get("plan_reasons")),
        done=done_groups(record),
        version=record.get("version", ""),
        check=check,
        moved=lambda t: moved(t, check.unit),
        truth=compared,
        scores=SCORES,
        repeat_rows=rows_of("repeat"),
        notes=[note for note in (words.two_levels(check, record), words.of_rounded(after, check, record)) if note],
        gate=gate,
        failed=words.gate_failed(gate),
        contract=contract_rows(record),
        worst=worst,
        known=None if evaluation is None else evaluation.known,
        together=_together(evaluation),
        repeat=None if evaluation is None else evaluation.repeat,
        many=None if evaluation is None else evaluation.many,
        missing=() if evaluation is None else evaluation.missing,
        grain=texture,
        error=uncertain,
        grain_picture=None if texture is None else texture_picture(texture, before),
        **_plots(check),
        **_more_plots(check, compared, worst, evaluation),
    )


def strength_of(record: Mapping[str, Any]) -> float | None:
    """The strength of a run where a smaller one gives a blend of input and output; None: unknown, or grain was put back."""
    strength, settings = record.get("strength"), record.get("settings")
    if not isinstance(strength, int | float) or (isinstance(settings, Mapping) and settings.get("texture")):
        return None
    return float(strength)


def environment_and_style() -> tuple[Environment, Markup]:
    """The templates of this room, and the style that all pages share."""
    environment = Environment(
        loader=PackageLoader("demottle.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["signed"] = words.signed
    environment.filters["share"] = words.share
    environment.globals["found_and_limit"] = words.found_and_limit
    environment.globals["in_words"] = in_words
    environment.globals["measure"] = measure
    environment.globals["uncertain"] = words.uncertain
    return environment, Markup(source_of(environment, "page.css"))


def source_of(environment: Environment, name: str) -> str:
    """A file of this room as text."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _together(evaluation: Evaluation | None) -> list[Pooled]:
    """Sharpness of structures of one size and contrast, where there are several."""
    known = None if evaluation is None else evaluation.known
    return [] if known is None else [group for group in pooled(known.sharpness) if group.count > 1]


def _plots(check: Check) -> dict[str, Markup | None]:
    spectrum = None if check.spectra is None else Markup(plots.spectrum_plot(check.spectra, check.unit))
    texture = None if check.spectra is None else Markup(curves.texture_plot(check.spectra))
    tissue = Markup(plots.tissue_plot(check.tissues, check.unit)) if check.tissues else None
    leak = Markup(plots.leak_plot(check.leak)) if check.leak is not None and check.leak.before.rho else None
    return {"spectrum_plot": spectrum, "texture_plot": texture, "tissue_plot": tissue, "leak_plot": leak}


def _more_plots(
    check: Check, compared: Comparison | None, worst: WorstSlice | None, evaluation: Evaluation | None
) -> dict[str, Markup | None]:
    known = None if evaluation is None else evaluation.known
    many = None if evaluation is None else evaluation.many
    reference = "input" if compared is None else "truth"
    return {
        "truth_tissue_plot": None
        if compared is None or not compared.after.tissues
        else Markup(plots.tissue_plot(compared.after.tissues, check.unit, "mean after − truth")),
        "slices_plot": None
        if worst is None or len(worst.values) < 2
        else Markup(curves.slices_plot(worst, check.unit)),
        "ttf_plot": Markup(curves.ttf_plot(known.sharpness, reference)) if known and known.sharpness else None,
        "contrast_plot": Markup(curves.contrast_plot(known.contrast, check.unit)) if known and known.contrast else None,
        "detectability_plot": Markup(curves.detectability_plot(known.detected)) if known and known.detected else None,
        "observers_plot": Markup(curves.observers_plot(many.observed)) if many and many.observed else None,
    }


def _viewer(
    before: Image,
    after: Image,
    check: Check,
    truth: Image | None,
    worst: WorstSlice | None,
    uncertain: Uncertainty | None,
) -> dict[str, Any]:
    coding = coding_of(before, check.noise.before)
    coarse = coding.coarser(check.noise.before)
    sigma = check.noise.before
    wanted = {*([] if worst is None else [worst.slice]), *spotted(check)}
    told = uncertainty.legend(uncertain)
    shown = (
        None if uncertain is None or told is None else (uncertain.image, partial(uncertainty.coded, top=told["top"]))
    )
    planes = plane_sets(before, after, coding, truth, wanted, shown, coarse)
    return {
        "unit": before.unit,
        "offset": coding.offset,
        "step": coding.step,
        "step_before": coarse.step,
        "sigma": sigma if sigma > 0 else 20 * coding.step,  # also where it is NaN
        "worst": None if worst is None else worst.slice,
        "windows": [{"name": w.name, "center": w.center, "width": w.width} for w in windows_of(before)],
        "planes": planes,
        "spots": marks(before, check),
        "uncertainty": told,
        "map": layer(before, check, [one["number"] for one in planes[0]["slices"]]),
    }


def _script_json(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    return Markup(json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"))


def write_whole(text: str, path: Path) -> None:
    """Write a page; it is there completely or not at all."""
    with staged(path, overwrite=True) as place:
        place.write_text(text, encoding="utf-8", errors="backslashreplace")
