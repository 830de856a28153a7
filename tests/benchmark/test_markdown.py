from pathlib import Path

import pytest
from tools.benchmark_page import PAGES, draw, held, page, with_pages, with_part

from demottle.benchmark.engine.results import Results
from demottle.benchmark.shown import tables
from demottle.benchmark.shown.markdown import folded, markdown, shown_of
from demottle.benchmark.suites.catalog import suite_named

from .conftest import MakeRow


def test_the_text_has_every_entrant_in_every_table_and_says_what_it_ran_on(tmp_path: Path, make_row: MakeRow) -> None:
    results = Results(tmp_path / "results.jsonl")
    asked = {"jobs": 4, "threads": 1, "minutes": 0.5}
    machine = {"processor": "Fast 9000", "cores": 16}
    versions = {"numpy": "2.4"}
    results.begin(
        {"started": "2026-11-28T02:00", "machine": machine, "versions": versions, "code": "abc123", "asked": asked}
    )
    for seed in range(3):
        results.add(make_row("nlm", seed, psnr=30 + seed / 10, seconds=2.0))
        results.add(make_row("bm3d", seed, psnr=31 + seed / 7, seconds=8.0))
    results.add(make_row("tv", 0, psnr=29.0))
    results.add(make_row("zs", 0, status="failed", reason="It was too small."))
    told = markdown(results, suite_named("ct-volume"), "bm3d")
    for wanted in (
        "Fast 9000",
        "16 cores",
        "numpy 2.4, code abc123.",
        "Made by `demottle benchmark --suite ct-volume`, seeds 0 to 2.",
        "0.5 min",
        "tv (n = 1)",
        "zs on rho 0, seed 0: It was too small.",
    ):
        assert wanted in told
    assert told.count("| nlm ") == 3  # quality, comparison, cost
    assert "| 0.25 (0.25 to 0.25)" in told
    widths = {line.count("|") for line in told.split("**Cost**")[1].splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_runs_of_a_day_on_one_machine_are_told_once(tmp_path: Path, make_row: MakeRow) -> None:
    results = Results(tmp_path / "results.jsonl")
    for seed, hour in enumerate((2, 9)):
        machine = {"processor": "Fast 9000", "cores": 16}
        results.begin({"started": f"2026-11-28T0{hour}:00", "machine": machine, "versions": {}, "asked": {}})
        results.add(make_row("nlm", seed, psnr=30.0))
    told = markdown(results, suite_named("ct-volume"), None)
    assert told.count("Fast 9000") == 1
    assert told.startswith("2 results of 2026-11-28: Fast 9000, 16 cores")


def test_a_page_is_made_whole_and_holds_its_figures(tmp_path: Path) -> None:
    suite = suite_named("mr")
    once = page(suite, tmp_path, "new figures")
    assert once.startswith("# MR\n\n`demottle benchmark --suite mr`: heads in MR")
    assert "The analytic brain, T1-weighted, 24 slices" in once
    assert held(once, "mr") == "new figures"
    (tmp_path / "remarks").mkdir()
    (tmp_path / "remarks" / "mr.md").write_text("What to make of it.\n")
    again = page(suite, tmp_path, held(once, "mr"))
    assert again.index("What to make of it.") < again.index("## Figures") < again.index("new figures")


@pytest.mark.parametrize("suite", with_pages())
def test_the_pages_are_as_they_are_made(suite: str) -> None:
    text = (PAGES / f"{suite}.md").read_text(encoding="utf-8")
    assert held(text, suite)
    assert text == page(suite_named(suite), PAGES, held(text, suite)), "run: python -m tools.benchmark_page"
    assert f"({suite}.md)" in (PAGES / "index.md").read_text(encoding="utf-8")


def test_the_best_five_and_the_default_are_shown_and_the_rest_opens_on_a_click() -> None:
    names = ["input", "a", "b", "c", "d", "e", "f", "guided-bayes", "g", "h", "told"]
    shown = shown_of(names, {"told"}, suite_named("ct-volume"))
    assert shown == {"input", "a", "b", "c", "d", "e", "guided-bayes"}
    lines = [[f"*{name}*" if name == "told" else f"{name} (n = 2)", "1"] for name in names]
    above, below = folded(["", "PSNR dB"], lines, shown).split('<details markdown="1"><summary>4 more</summary>')
    assert above.count("\n| ") == 1 + 7 and "guided-bayes" in above  # rule and lines
    assert below.count("\n| ") == 2 + 4 and "*told*" in below


def test_a_short_table_is_not_folded() -> None:
    assert "details" not in folded(["", "PSNR dB"], [["input", "1"], ["nlm", "2"], ["tv", "3"]], {"input"})


@pytest.mark.slow
def test_pictures_of_one_case_are_drawn_side_by_side(finished: Path, tmp_path: Path) -> None:
    rows = tables.done(Results(finished / "results.jsonl").rows, "ct-volume")
    assert draw(rows, tmp_path / "grid.png")
    assert (tmp_path / "grid.png").stat().st_size > 1000
    assert not draw([{**row, "picture": None} for row in rows], tmp_path / "none.png")


def test_figures_of_a_part_are_put_in_once_and_the_rest_stays() -> None:
    one = with_part("all of it", "An archive", "new")
    assert one == "all of it\n\n### An archive\n\nnew"
    both = with_part(one, "A node", "figures")
    assert with_part(both, "An archive", "newer") == "all of it\n\n### A node\n\nfigures\n\n### An archive\n\nnewer"
