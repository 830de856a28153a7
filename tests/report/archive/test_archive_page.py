"""The page about thousands of series: the odd ones first, reasons of failures, and small however many there are."""

import csv
import re
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from demottle.report.archive.page import Facts, write_archive_report
from demottle.report.archive.summary import (
    Entry,
    against_usual,
    courses_of,
    groups_of,
    outliers_of,
    reasons_of,
    tissue_of,
)

FACTS = Facts("ct.archive", "denoise", "denoise", 3, "demottle archive report ct.archive -o page.html")


def _entries(count: int, noise: float = 20.0, scanner: str = "A", seed: int = 0) -> list[Entry]:
    random = np.random.default_rng(seed)
    return [
        Entry(
            name=f"P{number}/{scanner}",
            state="done",
            scanner=scanner,
            protocol="Chest",
            month=f"2025-{number % 12 + 1:02d}",
            before=float(noise * random.normal(1, 0.03)),
            after=float(0.4 * noise),
            unit="HU",
            shifts={"soft tissue": float(random.normal(0, 0.1))},
            seconds=10.0,
            page=f"out-report/P{number}/report.html",
        )
        for number in range(count)
    ]


def test_what_is_unlike_its_like_is_found_within_its_scanner() -> None:
    entries = [*_entries(20), *_entries(20, 60.0, "B")]
    assert outliers_of(entries, "soft tissue") == []
    odd = Entry("P99/X", "done", scanner="A", protocol="Chest", before=60.0, after=24.0, unit="HU")
    blurred = Entry("P98/X", "done", scanner="B", protocol="Chest", before=60.0, after=60.0, unit="HU")
    moved = Entry("P97/X", "done", scanner="B", protocol="Chest", shifts={"soft tissue": 9.0}, unit="HU")
    found = outliers_of([*entries, odd, blurred, moved], "soft tissue")
    assert {one.entry.name for one in found} == {"P99/X", "P98/X", "P97/X"}
    told = {one.entry.name: one.why for one in found}
    assert re.fullmatch(r"noise before 60\.0 HU, usual is (19|20)\.\d", told["P99/X"])

    assert "100 % of the noise left, usual is 4" in told["P98/X"] and "moved by +9.00 HU" in told["P97/X"]


def test_failures_that_differ_in_numbers_and_names_alone_are_one_reason() -> None:
    files = [Entry(f"P{n}", "failed", f"The file scans/P{n}/IM{n}.dcm is missing; index again.") for n in range(3)]
    gate = [Entry("Q", "failed", "The result fails the gate: the shift is -1.5 HU; it is kept in /x/y.")]
    first, second = reasons_of([*files, *gate, *_entries(2)])
    assert (first.count, first.example.name) == (3, "P0") and "P1" not in first.sentence
    assert (second.count, second.sentence) == (1, "The result fails the gate: the shift is N HU")


def test_drift_is_told_by_scanner_and_not_by_a_change_of_protocols() -> None:
    months = [f"2025-{number + 1:02d}" for number in range(12)]
    chest = [Entry("a", "done", scanner="A", protocol="Chest", month=month, before=20.0) for month in months[:6]]
    head = [Entry("a", "done", scanner="A", protocol="Head", month=month, before=5.0) for month in months[6:]]
    rising = [Entry("b", "done", scanner="B", month=month, before=20.0 + n) for n, month in enumerate(months)]
    entries = [*chest, *head, *rising]
    courses = {
        one.scanner: [middle for _, middle, _ in one.quartiles] for one in courses_of(entries, against_usual(entries))
    }
    assert courses["A"] == [1.0] * 12 and courses["B"] == sorted(courses["B"]) and courses["B"][-1] > 1.2


def test_groups_have_medians_and_failures() -> None:
    failed = Entry("f", "failed", "broken", scanner="A", protocol="Chest")
    (group,) = groups_of([*_entries(9), failed], "soft tissue")
    assert (group.count, group.failed, group.unit) == (10, 1, "HU") and group.after == (8.0, 8.0, 8.0)
    assert tissue_of([failed]) == "" and isnan(groups_of([failed], "")[0].before[1])


def test_the_page_shows_what_is_odd_with_links_and_the_table_has_all(tmp_path: Path) -> None:
    odd = Entry(
        "P99/<b>", "done", scanner="A", protocol="Chest", before=90.0, after=36.0, unit="HU", page="out report/é.html"
    )
    entries = [*_entries(12), odd, Entry("=cmd()", "failed", "It is broken.")]
    table = write_archive_report(entries, FACTS, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert '<a href="out%20report/%C3%A9.html">P99/&lt;b&gt;</a>' in page and "<b>" not in page.split("<main>")[1]
    assert "It is broken." in page and "3 are left" in page and "Unlike their like" in page and page.count("<svg") == 6
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 14 and rows[-1]["series"] == "'=cmd()" and rows[-2]["unlike"].startswith("noise before 90.0 HU")


def test_a_run_that_measured_only_or_failed_has_a_page(tmp_path: Path) -> None:
    measured = [Entry(f"P{n}", "done", before=20.0, unit="HU", month="2025-01") for n in range(3)]
    write_archive_report(measured, FACTS, tmp_path / "a.html")
    write_archive_report([Entry("P", "failed", "It is broken.")], FACTS, tmp_path / "b.html")
    assert "nan" not in (tmp_path / "a.html").read_text().split("<main>")[1]
    assert "nan" not in (tmp_path / "b.html").read_text().split("<main>")[1]


@pytest.mark.slow
def test_five_thousand_series_make_a_small_page(tmp_path: Path) -> None:
    entries = [one for number in range(10) for one in _entries(500, 20.0 + number, f"Scanner {number}", number)]
    write_archive_report(entries, FACTS, tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 1_000_000


def test_what_the_plan_leaves_alone_is_told_with_its_reason(tmp_path: Path) -> None:
    write_archive_report(
        _entries(5), Facts("ct", "denoise", "denoise", alone={"It is a <result>.": 1200}), tmp_path / "a.html"
    )
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert re.search(r"Left alone.*It is a &lt;result&gt;\.</td><td>1,200</td>", page, re.DOTALL)
    write_archive_report(_entries(5), FACTS, tmp_path / "b.html")
    assert "Left alone" not in (tmp_path / "b.html").read_text(encoding="utf-8")
