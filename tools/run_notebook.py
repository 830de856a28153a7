"""Run a notebook of the documentation and keep what its cells show, in the file itself.

    python -m tools.run_notebook docs/tutorials/notebook.ipynb

It runs in an empty folder, from which nothing is kept. Needs nbclient and ipykernel (extra `dev`).
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

_LONGEST = 1200
"""Seconds for one cell."""


def executed(path: Path, folder: Path, instead: Mapping[str, str] | None = None) -> Any:
    """Run all cells of a notebook in `folder` and return it with what they showed.

    Args:
        path: the notebook; it is not changed.
        folder: where the cells run and write.
        instead: words of the code and what is run in place of them, such as a smaller scan.

    Raises:
        ValueError: where a word that is to be replaced stands nowhere.
        nbclient.exceptions.CellExecutionError: where a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for long, short in (instead or {}).items():
        if not any(long in cell.source for cell in code):
            raise ValueError(f"{path} does not hold {long!r}.")
        for cell in code:
            cell.source = cell.source.replace(long, short)
    client = NotebookClient(
        notebook,
        timeout=_LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    )
    client.execute()
    for cell in code:
        cell.outputs = [output for output in cell.outputs if not _is_empty(output)]
    return notebook


def _is_empty(output: Any) -> bool:
    """True for what a progress bar leaves behind when it is gone."""
    return output.get("data", {}).get("text/html", " ") == ""


def main() -> None:
    """Run what the command line names."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    path = Path(sys.argv[1])
    with TemporaryDirectory() as folder:
        notebook = executed(path, Path(folder))
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
