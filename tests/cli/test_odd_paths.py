"""Scans whose names are no text, or no nice one, are denoised with page and record, and the record leads back to them."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from demottle.cli.places import beside
from demottle.cli.screen.console import as_json, shown
from demottle.image import Image
from demottle.io import write

Demottle = Callable[..., Result]


NAME = b"M\xfcller\nnew line [red]x[b] \x1b[31m"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A small scan in a folder with an odd name."""
    noise = np.random.default_rng(0).normal(40, 15, (6, 48, 48)).astype(np.float32)
    return write(Image(noise, (2.0, 1.0, 1.0), "CT", "HU"), tmp_path / os.fsdecode(NAME))


def test_a_folder_with_an_odd_name_is_denoised_with_its_record(demottle: Demottle, odd: Path) -> None:
    out = odd.with_name(os.fsdecode(b"out-" + NAME))
    done = demottle("denoise", odd, "-o", out, "--method", "gaussian", "--force", "--accept-own-output")
    assert done.exit_code == 0, done.stderr
    assert "\x1b[31m" not in done.stdout + done.stderr
    record = json.loads((beside(out) / "run.json").read_text(encoding="utf-8"))
    assert (Path(record["input"]), Path(record["output"])) == (odd, out)
    assert len(list(out.iterdir())) == 6
    assert (beside(out) / "report.html").is_file()


@pytest.mark.slow
def test_the_record_of_an_odd_name_leads_back(demottle: Demottle, odd: Path) -> None:
    out = odd.with_name(os.fsdecode(b"out-" + NAME))
    assert demottle("denoise", odd, "-o", out, "--method", "gaussian", "--force").exit_code == 0
    page, table = odd.with_name(os.fsdecode(b"page" + NAME + b".html")), odd.with_name(os.fsdecode(NAME + b".csv"))
    done = demottle("report", beside(out), "-o", page)
    assert done.exit_code == 0, done.stderr
    assert page.is_file()
    assert demottle("evaluate", out, "--input", odd, "--csv", table).exit_code == 0
    assert r"M\xfcller" not in table.read_text(encoding="utf-8")  # the byte, as Python writes it
    assert r"M\udcfcller" in table.read_text(encoding="utf-8")


def test_what_cannot_be_shown_is_shown_as_an_escape() -> None:
    assert shown(Path(os.fsdecode(b"M\xfcller\n\x1b"))) == r"M\xfcller\n\x1b"
    assert shown("Müller 頭\xa0✓") == "Müller 頭\xa0✓"
    assert shown("a\nb", lines=True) == "a\nb"
    assert shown("a\u202eb") == r"a\u202eb"


def test_json_of_any_path_is_utf_8_and_comes_back() -> None:
    path = os.fsdecode(b"M\xfcller\n ") + "頭"
    text = as_json({"path": path})
    assert "頭" in text
    assert json.loads(text.encode("utf-8")) == {"path": path}


@pytest.mark.parametrize("name", ["x" * 250, "ü" * 124])
def test_names_beside_a_long_one_are_cut_and_stay_apart(name: str) -> None:
    one, other = beside(Path(name + "a")), beside(Path(name + "b"))
    assert one != other
    assert one.name.endswith("-report")
    assert max(len(os.fsencode(path.name)) for path in (one, other)) <= 255
    assert beside(Path("out.nii.gz")).name == "out-report"


def test_a_name_too_long_for_the_disk_is_said(demottle: Demottle, odd: Path) -> None:
    done = demottle("denoise", odd, "-o", odd.with_name("x" * 300), "--method", "gaussian")
    assert done.exit_code == 2
    assert "too long for this disk" in done.stderr
