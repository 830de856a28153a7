"""The notebook of the documentation runs, and shows, here and on the site, what its text says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "tutorials" / "notebook.ipynb"
SMALL = {"slices=8, size=192": "slices=4, size=96", "(3.0, 1.9, 1.9)": "(3.0, 3.8, 3.8)", "seed=0)": "seed=0, steps=2)"}


def _cells(kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == kind]


def test_its_code_can_be_read_and_finds_what_it_imports() -> None:
    for cell in _cells("code"):
        code = "".join(cell["source"])
        compile(code, str(NOTEBOOK), "exec")
        exec("\n".join(line for line in code.splitlines() if line.startswith(("from demottle", "import demottle"))), {})


def test_what_it_holds_was_shown_by_one_run_from_its_first_cell_to_its_last() -> None:
    assert [cell["execution_count"] for cell in _cells("code")] == list(range(1, len(_cells("code")) + 1))
    kinds = {output["output_type"] for cell in _cells("code") for output in cell["outputs"]}
    assert kinds == {"execute_result", "stream"}  # no error, no bar that stayed
    assert "/tmp" not in NOTEBOOK.read_text() and NOTEBOOK.stat().st_size < 400_000


def test_the_site_shows_its_text_its_code_and_its_pictures() -> None:
    pytest.importorskip("mkdocs", reason="the site needs the extra docs")
    from tools.site_hook import on_page_markdown, page_of

    page = page_of(NOTEBOOK)
    assert page.startswith("# In a notebook\n")
    assert "```python\nresult = demottle.denoise(image, seed=0)\nresult\n```" in page
    shown = re.findall(r'^<div class="notebook-output">(.*?)</div>\n\n', page, flags=re.MULTILINE | re.DOTALL)
    assert max(html.count("<img") for html in shown) == 3
    assert not any("\n\n" in html for html in shown)  # Markdown would take what follows as text

    class Elsewhere:
        file = type("File", (), {"src_uri": "index.md"})

    class Itself:
        file = type("File", (), {"src_uri": "tutorials/notebook.md"})

    link = "[it](tutorials/notebook.ipynb)"
    assert on_page_markdown(link, Elsewhere()) == "[it](tutorials/notebook.md)"
    assert on_page_markdown(link, Itself()) == link


@pytest.mark.slow
def test_it_runs(tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="running notebooks needs the extra dev")
    from tools.run_notebook import executed

    cells = [cell for cell in executed(NOTEBOOK, tmp_path, SMALL).cells if cell.cell_type == "code"]
    shown = {cell.source.splitlines()[-1]: cell.outputs for cell in cells}
    assert shown["image"][0].data["text/html"].count("<img") == 1
    for name in ("result", "few"):
        html = shown[name][0].data["text/html"]
        assert html.count("<img") == 3 and "gate" in html
    assert not any("progress" in str(output) for outputs in shown.values() for output in outputs)
    assert {path.name for path in tmp_path.iterdir()} == {"scan.nii.gz", "clean.nii.gz", "clean.html"}
    assert (tmp_path / "clean.html").read_text().startswith("<!")
