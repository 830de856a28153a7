"""The page about a study, and its tables."""

import csv
import re
from math import nan
from pathlib import Path

import numpy as np
import pytest

from demottle.study.agreement import SelfAgreement, between_readers
from demottle.study.analysis import Analysis, ArmMean, Reading
from demottle.study.comparing import gains_of, mean_of, yes_no_of
from demottle.study.page import write_study_page
from demottle.study.questions import ITEMS
from demottle.study.tables import RESULT_COLUMNS, write_results


def analysis(scans: int = 10, arms: tuple[str, ...] = ("original", "<b>clean</b>"), design: str = "single") -> Analysis:
    rng = np.random.default_rng(0)
    tables = [(item, arm, rng.integers(-1, 3, (scans, 3)).astype(float)) for arm in arms[1:] for item in ITEMS]
    means = [
        ArmMean(item, arm, mean_of(rng.integers(1, 6, (scans, 3)).astype(float), 200, 0), (1, 2, 3, 2, 2))
        for item in ITEMS
        for arm in (arms if design == "single" else arms[1:])
    ]
    yes = [(arm, np.ones((scans, 3)), rng.integers(0, 2, (scans, 3)).astype(float)) for arm in arms[1:]]
    readers = ("r1", "r2", "r3")
    return Analysis(
        title="Liver & spleen",
        design=design,
        arms=arms,
        reference=arms[0],
        readers=readers,
        cases=scans,
        scans=scans,
        margin=0.5,
        means=tuple(means),
        gains=tuple(gains_of(tables, arms[0], 0.5, 200, 0)),
        yes_no=tuple(yes_no_of(yes, arms[0], readers)),
        agreement=tuple(between_readers(i, rng.integers(1, 6, (scans, 3)).astype(float)) for i in ITEMS),
        self_agreement=(SelfAgreement("r1", 3, nan, 0.5, 0.9, 0.1),),
        reading=tuple(Reading(reader, scans, 31.4, 0) for reader in readers),
        warnings=("Reader r2 has not finished 3 cases of 30.",),
    )


@pytest.mark.parametrize("design", ["single", "pairs"])
@pytest.mark.parametrize("scans", [1, 10])
def test_the_page_is_whole_and_needs_nothing_from_elsewhere(design: str, scans: int, tmp_path: Path) -> None:
    write_study_page(analysis(scans, design=design), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    bare = re.sub(r"""xmlns(:\w+)?="[^"]*"|<!DOCTYPE svg[^>]*>""", "", page)
    assert not re.search(r"https?://|<link|@import|<script", bare)
    assert "default-src 'none'" in page
    assert "Liver &amp; spleen" in page
    assert "Reader r2 has not finished 3 cases of 30." in page
    assert "not for diagnosis" in page
    assert "<b>clean" not in page
    assert not re.search(r">[^<]*\bnan\b", page)


def test_every_figure_of_the_page_is_that_of_the_analysis(tmp_path: Path) -> None:
    found = analysis()
    write_study_page(found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(found.gains) > 1
    for gain in found.gains:
        shown = f"{gain.mean.value:+.2f} ({gain.mean.ci_low:+.2f} to {gain.mean.ci_high:+.2f})".replace("-", "\u2212")
        assert shown in page
        assert f">{gain.verdict}<" in page
    for agreement in found.agreement:
        for alpha in agreement.alpha.values():
            shown = f">{alpha.value:.2f}<br><small>{alpha.ci_low:.2f} to {alpha.ci_high:.2f}<".replace("-", "\u2212")
            assert shown.replace("\u22120.00", "0.00") in page.replace("\u22120.00", "0.00")


def test_results_as_csv_hold_every_figure_and_leave_unknown_ones_empty(tmp_path: Path) -> None:
    found = analysis(arms=("original", "clean", "nlm"))
    write_results(found, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == RESULT_COLUMNS
    gains = [line for line in lines if line["what"] == "gain"]
    assert [(line["arm"], line["item"]) for line in gains] == [(gain.arm, gain.item) for gain in found.gains]
    assert float(gains[0]["value"]) == pytest.approx(found.gains[0].mean.value, abs=1e-5)
    assert sum(line["what"] == "gain of reader" for line in lines) == 30
    assert next(line for line in lines if line["what"] == "kappa with oneself")["value"] == ""
    alphas = [float(line["ci_low"]) for line in lines if line["what"] == "alpha ordinal"]
    assert alphas == pytest.approx([one.alpha["ordinal"].ci_low for one in found.agreement], abs=1e-5)
