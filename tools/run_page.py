"""Run the Python code of a page of the documentation, in a folder of your choice.

    python tools/run_page.py docs/tutorials/dose-image-quality.md FOLDER

FOLDER holds what the page reads, and gets what it writes. The pictures of the tutorials are made in this way.
"""

import os
import re
import sys
from pathlib import Path


def code_of(page: Path) -> str:
    """All Python blocks of a page, in order, each at its own line number, so that an error names the line of the page."""
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in re.finditer(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        first = text[: block.start(1)].count("\n")
        code = block.group(1).splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what the command line names."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    compiled = compile(code_of(page), str(page), "exec")
    os.chdir(folder)
    exec(compiled, {"__name__": "__main__"})


if __name__ == "__main__":
    main()
