"""Run the code of a page of the documentation, in a folder of your choice: Python blocks, and `$ demottle` in console blocks.

    python tools/run_page.py docs/tutorials/ct.md FOLDER

FOLDER holds what the page reads, and gets what it writes. The pictures of the tutorials are made in this way.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

_BLOCK = re.compile(r"^```(python|console)(?: title=\"([\w.-]+)\")?\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def code_of(page: Path) -> str:
    """All code of a page, in order, each line at its own number, so that an error names the line of the page.

    A block with a title becomes the file of that name.
    A line `$ demottle VERB ...` of a console block becomes `demottle(["VERB", ...])`: who runs the code says what that does.
    """
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in _BLOCK.finditer(text):
        first = text[: block.start(3)].count("\n")
        code = block.group(3).splitlines()
        if block.group(2):
            code = [f"__import__('pathlib').Path({block.group(2)!r}).write_text({block.group(3)!r})"]
        elif block.group(1) == "console":
            code = [_as_call(line) for line in _joined(code)]
        lines[first : first + len(code)] = code
    return "\n".join(lines) + "\n"


def _joined(lines: list[str]) -> list[str]:
    """Put what follows a line that ends in a backslash onto that line; as many lines as before, so numbers stay."""
    out = list(lines)
    for number in range(len(out) - 1, 0, -1):
        if out[number - 1].endswith("\\"):
            out[number - 1] = out[number - 1][:-1] + out[number].strip()
            out[number] = ""
    return out


def _as_call(line: str) -> str:
    """A command as Python; what a program printed is left out."""
    if not line.startswith("$ demottle "):
        return ""
    return f"demottle({shlex.split(line)[2:]!r})"


def run_demottle(arguments: list[str]) -> None:
    """Run the program as a reader of the page would, showing the command first."""
    print(f"\n$ demottle {shlex.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "demottle", *arguments], check=True)


def main() -> None:
    """Run what the command line names."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    compiled = compile(code_of(page), str(page), "exec")
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    exec(compiled, {"__name__": "__main__", "demottle": run_demottle})


if __name__ == "__main__":
    main()
