"""Files that belong to an MR series: names that cannot be are refused in words before the work begins."""

from pathlib import Path
from typing import Any

import pytest
import typer

from demottle.cli.denoise.series_files import SeriesFiles
from demottle.cli.places import Places
from demottle.errors import OutputError


def test_names_that_cannot_be_are_refused_in_words(tmp_path: Path) -> None:
    scan, places = tmp_path / "scan.nii.gz", Places(tmp_path / "out.nii.gz")
    scan.touch()
    folder = tmp_path / "map.nii.gz"
    folder.mkdir()
    with pytest.raises(OutputError, match=r"map\.nii\.gz is a folder already; choose another name\."):
        SeriesFiles(save_noise_map=folder).added_to(places, scan, None)
    with pytest.raises(OutputError, match=r"map\.txt has to end in \.nii\.gz or \.nii\."):
        SeriesFiles(save_noise_map=tmp_path / "map.txt").added_to(places, scan, None)
    same = SeriesFiles(save_noise_map=tmp_path / "out.nii.gz")
    with pytest.raises(OutputError, match=r"Two results would be called .*out\.nii\.gz; choose another name for one"):
        same.added_to(places, scan, None).refuse_inputs([scan])


@pytest.mark.parametrize(
    ("given", "model", "method", "scans", "option", "said"),
    [
        ({"sigma": 3.0}, Path("m"), None, 1, "--sigma", "does not go with a saved model"),
        ({"sigma": 3.0}, None, "mp-pca", 1, "--sigma", "is for nordic, not for mp-pca"),
        ({"gfactor": Path("g")}, None, None, 2, "--gfactor", "needs a single scan, but SCAN holds several"),
        ({"sigma": 0.0}, None, None, 1, "--sigma", "has to be a positive number"),
        ({"sigma": float("inf")}, None, None, 1, "--sigma", "has to be a positive number"),
        ({"noise_map": Path("a"), "sigma": 1.0}, None, None, 1, "--noise-map", "gives the noise already, so leave out --sigma"),
        (
            {"noise_map": Path("a"), "noise_scan": Path("b")}, None, None, 1, "--noise-map",
            "gives the noise already, so leave out --noise-scan",
        ),
        (
            {"noise_scan": Path("a"), "gfactor": Path("g")}, None, None, 1, "--gfactor",
            "goes with --sigma or alone, because the noise is given already",
        ),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_say_what_to_leave_out(
    given: dict[str, Any], model: Path | None, method: str | None, scans: int, option: str, said: str
) -> None:
    with pytest.raises(typer.BadParameter, match=f"^{said}$") as caught:
        SeriesFiles(**given).refuse_contradictions(model, method, scans)
    assert caught.value.param_hint == option
