"""The page of a run: whole, self-contained, and without anything that could name a patient."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from demottle.image import Image
from demottle.quality.sequence.check import check_sequence
from demottle.quality.sequence.response import Response
from demottle.quality.sequence.truth import sequence_errors
from demottle.report.sequence import cards, film_of, write_sequence_page


@pytest.fixture
def run() -> Image:
    return Image(np.random.default_rng(1).normal(500, 20, (6, 64, 80)).astype(np.float32), (0.1, 0.5, 0.5), "XA")


def test_the_film_shows_before_after_and_removed_side_by_side(run: Image) -> None:
    after = run.with_voxels(np.full_like(run.voxels, 500))
    data = film_of(run, after, 20.0).removeprefix("data:image/webp;base64,")
    done, film = cv2.imdecodeanimation(np.frombuffer(base64.b64decode(data), np.uint8))
    assert done and len(film.frames) == 6
    gray = film.frames[0][..., 1].astype(float)
    assert gray.shape == (64, 3 * 82)
    before, clean, removed = gray[:, :80], gray[:, 82:162], gray[:, 164:244]
    assert before.std() > 30 > 8 > clean.std()
    assert removed.mean() == pytest.approx(127, abs=8) and removed.std() > 25


def test_the_page_is_whole_and_names_no_path(run: Image, tmp_path: Path) -> None:
    after = run.with_voxels(run.voxels * 0.5 + 250)
    response = Response(0.2, 0.01, ((0.0, 2.0), (10.0, float("inf"))), ((0.0, 2.0), (10.0, 2.1)))
    record = {"method": "recursive", "input": str(tmp_path / "DOE^JANE"), "warnings": ["Something."], "delay_frames": 2}
    write_sequence_page(run, after, check_sequence(run, after), record, tmp_path / "page.html", response)
    page = (tmp_path / "page.html").read_text()
    assert page.rstrip().endswith("</html>") and "<script" not in page and "http" not in page.split("</style>")[1]
    for words in ("6 frames of 64 x 80", "10 frames per second", "Something.", "over 60", "20.0 %"):
        assert words in page
    assert "JANE" not in page and str(tmp_path) not in page


def test_the_page_claims_what_was_measured_and_no_more(run: Image) -> None:
    found = replace(check_sequence(run, run.with_voxels(run.voxels * 0.5 + 250)), trail=1.05)
    card = {c.label: c for c in cards(found, {})}["Removed in motion"]
    assert (card.value, card.tone) == ("× 1.05", "plain")
    assert "over at rest" in card.detail
    warned = {c.label: c for c in cards(replace(found, trail=2.0), {})}["Removed in motion"]
    assert warned.tone == "warn" and "look for trails" in warned.detail


def test_no_figure_is_shown_for_what_was_not_measured(run: Image) -> None:
    nothing = float("nan")
    found = replace(check_sequence(run, run), flicker_before=nothing, flicker_after=nothing, trail=nothing)
    assert {c.label for c in cards(found, {})}.isdisjoint({"Flicker", "Removed in motion"})


def test_errors_against_a_truth_are_on_the_page(run: Image, tmp_path: Path) -> None:
    truth = run.with_voxels(np.full_like(run.voxels, 500))
    after = run.with_voxels(run.voxels * 0.5 + 250)
    errors = sequence_errors(run, truth, (400, 600)), sequence_errors(after, truth, (400, 600))
    write_sequence_page(run, after, check_sequence(run, after), {}, tmp_path / "page.html", errors=errors)
    page = (tmp_path / "page.html").read_text()
    for words in (
        "Against the truth",
        "400 to 600",
        "error over time",
        "flicker of the error",
        f"{errors[1].psnr:.2f} dB",
    ):
        assert words in page
    assert "PSNR where something moves" not in page  # no mask was given


def test_the_page_of_mr_volumes_speaks_of_volumes_and_not_of_fluoroscopy(run: Image, tmp_path: Path) -> None:
    series = Image(run.voxels, (2.5, 2.0, 2.0), "MR", sequence=True)
    after = series.with_voxels(series.voxels * 0.5 + 250)
    found = replace(check_sequence(series, after), trail=2.0)
    measured = {"modality": "MR", "held_over": 0.1, "lag": 0.1, "moving_share": 0.2}
    record = {"delay_frames": 0, "ms_per_frame": 3.0, "fingerprint": measured}
    truth = series.with_voxels(np.full_like(run.voxels, 500))
    errors = sequence_errors(series, truth, (400, 600)), sequence_errors(after, truth, (400, 600))
    write_sequence_page(series, after, found, record, tmp_path / "page.html", errors=errors)
    page = (tmp_path / "page.html").read_text().split("</style>")[1].lower()
    for words in (
        "6 volumes, 64 x 80 pixels with all slices",
        "one every 2.5 s",
        "noise of a volume",
        "where volumes differ",
        "psnr",
    ):
        assert words in page
    told = re.sub(r"base64,[^\"]*", "", page)
    for words in ("frame", "flicker", "trail", "edge", "moves", "lag"):
        assert words not in told, words
    done, film = cv2.imdecodeanimation(
        np.frombuffer(base64.b64decode(film_of(series, after, 20.0).partition(",")[2]), np.uint8)
    )
    assert done and max(film.durations) <= 500  # nobody waits 2.5 s for the next picture


def test_what_was_removed_where_mr_volumes_differ_is_warned_of_in_their_words(run: Image) -> None:
    random = np.random.default_rng(3)
    signal = np.full((8, 96, 96), 500.0)
    signal[:, 16:64, 16:64] += 200 * random.normal(size=(8, 1, 1))
    series = Image((signal + random.normal(0, 20, signal.shape)).astype(np.float32), (2.5, 2, 2), "MR", sequence=True)
    mixed = series.with_voxels(np.broadcast_to(series.voxels.mean(axis=0), series.shape).astype(np.float32))
    told = " ".join(check_sequence(series, mixed).warnings)
    assert "where the volumes differ" in told and "trails" not in told
