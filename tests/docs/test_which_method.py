"""The page that says which method when tells the figures of the benchmark's pages, and what the plan does."""

import re
from pathlib import Path

import pytest
from tools.which_method import PAGE, SOURCE, cells_of, figure, page

from demottle.methods.registry import METHODS
from demottle.pipeline import plan, plan_sequence

TEXT = SOURCE.read_text()
RESULT = re.compile(r"\d (dB|HU|%)|\d+\.\d|\d (processor )?s\b")
CONDITION = r"discs of [^:,]*? HU( in 40 HU of noise)?|With 90 % of f50 promised|95 % intervals|`[^`]*`"


def test_the_page_is_made_of_the_figures_that_the_benchmark_has_today() -> None:
    assert PAGE.read_text() == page(TEXT), "run: python -m tools.which_method"


def test_no_figure_is_written_by_hand() -> None:
    own = re.sub(CONDITION, "", re.sub(r"\{\{[^{}]+\}\}( dB| HU| %| s\b)?", "", TEXT), flags=re.IGNORECASE)
    assert [found.group() for found in RESULT.finditer(own)] == []


def test_the_methods_are_ours_and_the_defaults_those_of_the_plan() -> None:
    rows = dict(re.findall(r"^\| \[([^]]+)\]\([^)]*\)[^|]* \| (.+? \| .+?) \|$", TEXT, flags=re.MULTILINE))
    assert len(rows) == 11
    for text in rows.values():
        assert set(re.findall(r"`([a-z0-9-]+)`", text.partition(" | ")[0])) <= set(METHODS)
    for situation, method in (
        ("CT of many slices", plan.DEFAULT),
        ("one to three slices of CT", plan.FOR_FEW),
        ("one volume of MR", plan.FOR_MR),
        ("a series of MR volumes", plan_sequence.NORDIC),
        ("fluoroscopy", "udca"),
    ):
        taken, how = rows[situation].split(" | ")
        assert taken.startswith(f"`{method}`") and "default" in how
    assert f"takes `{plan.CLASSICAL}` (one to three slices: `{plan.FOR_FEW_UNLEARNED}`)" in TEXT


def test_a_figure_is_found_by_table_row_and_column(tmp_path: Path) -> None:
    (tmp_path / "suite.md").write_text(
        "**head**, one case:\n\n| | PSNR dB | d' |\n|---|--:|--:|\n| input | 20.1 | – |\n\n"
        "<details><summary>1 more</summary>\n\n| | PSNR dB | d' |\n| --- | --: | --: |\n"
        "| *bm3d* (n = 1) | **+3.0 (+1 to +5)** | 2 |\n\n"
        "**hip**, one case:\n\n| | PSNR dB |\n|---|--:|\n| [**input**](x.md) | 9.5 |\n"
    )
    assert len(list(cells_of((tmp_path / "suite.md").read_text()))) == 5
    assert figure("suite | head | bm3d | PSNR dB", tmp_path) == "+3.0 (+1 to +5)"
    assert figure(" suite |  h* | input | PSNR dB", tmp_path) == "9.5 to 20.1"
    for missing in ("suite | head | tv | PSNR dB", "suite | head | input | d'", "suite | h | input | PSNR dB"):
        with pytest.raises(ValueError, match=r"suite has \d figures for"):
            figure(missing, tmp_path)


def test_links_of_the_page_lead_where_those_of_its_text_do(tmp_path: Path) -> None:
    assert (
        page("[a](ct-real.md) [b](../methods/x.md#y) [c](#z)")
        == "[a](benchmark/ct-real.md) [b](methods/x.md#y) [c](#z)"
    )
