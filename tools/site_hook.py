"""What MkDocs needs to be told to show the pages as GitHub shows them."""

import json
import re
from html import escape
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Give every notebook a page of its name, beside the notebook itself, which can be downloaded."""
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        path = Path(str(notebook.abs_src_path))
        page = File.generated(config, notebook.src_uri.removesuffix(".ipynb") + ".md", content=page_of(path))
        files.append(page)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead from other pages to the page of a notebook; GitHub shows the file itself."""
    own = Path(page.file.src_uri).with_suffix(".ipynb").name
    return re.sub(
        r"(\w[\w-]*)\.ipynb\)", lambda link: link[0] if f"{link[1]}.ipynb" == own else f"{link[1]}.md)", markdown
    )


def on_page_content(html: str, **_: Any) -> str:
    r"""Show `\|` in a cell of a table as the bar it stands for: Python-Markdown leaves the backslash where it is code."""
    return re.sub(r"<td.*?</td>", lambda cell: cell[0].replace("\\|", "|"), html, flags=re.DOTALL)


def page_of(path: Path) -> str:
    """Return a notebook as Markdown: its text, its code, and below it what the code showed."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [_shown(output) for output in cell.get("outputs", ())]
    return "\n\n".join(parts) + "\n"


def _shown(output: dict[str, Any]) -> str:
    """One output of a cell: HTML as it is, without the empty lines that would end it for Markdown; anything else as text."""
    data = output.get("data", {})
    if "text/html" in data:
        html = re.sub(r"\n\s*\n", "\n", "".join(data["text/html"]))
        return f'<div class="notebook-output">{html}</div>'
    text = "".join(output.get("text") or data.get("text/plain", ""))
    return f'<pre class="notebook-output">{escape(text.rstrip())}</pre>'
