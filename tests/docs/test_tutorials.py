"""The code of the tutorials runs, on a small phantom in place of a real scan, and says what the page says it does."""

from pathlib import Path

import pytest
from tools.run_page import code_of

from demottle import io
from demottle.physics.phantom import body_phantom, low_dose_scan
from demottle.quality.hotelling import Hotelling

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "dose-image-quality.md"
SMALL = {"count=100": "count=14", "steps=150": "steps=2", ".part(20, 40)": "", "(1, 0.5, 0.25, 0.1)": "(1, 0.1)"}


def test_the_dose_curve_falls_with_the_dose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = body_phantom(6, 192, (3, 1.3, 1.3), seed=1)
    io.write(low_dose_scan(truth, sigma=6.0, rho=0.25, seed=1), tmp_path / "scan.nii.gz")
    code = code_of(PAGE)
    for long, short in SMALL.items():
        assert long in code
        code = code.replace(long, short)
    monkeypatch.chdir(tmp_path)
    left: dict[str, dict[tuple[str, str, float], Hotelling]] = {}
    exec(compile(code, str(PAGE), "exec"), left)
    for observer in ("Hotelling", "NPWE"):
        high, low = (left["curve"][observer, "as scanned", dose] for dose in (1, 0.1))
        assert high.dprime_low <= high.dprime <= high.dprime_high
        assert low.dprime < high.dprime
    assert len(left["curve"]) == 8 and len(capsys.readouterr().out.splitlines()) == 8 + 4
    assert (tmp_path / "dose-image-quality.png").stat().st_size > 10_000


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_python_on_every_page_can_be_read_and_finds_what_it_imports(page: Path) -> None:
    lines = code_of(page).splitlines()
    compile("\n".join(lines), str(page), "exec")
    exec("\n".join(line for line in lines if line.startswith(("from demottle", "import demottle"))), {})
