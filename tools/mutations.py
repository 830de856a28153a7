"""Which changes of a sentence or a number in the code does no test notice? Mutations drawn at random, each tried in a copy.

    python -m tools.mutations --seed 1 --count 24 --table mutations.md

A sentence loses a word, a number changes; then the quick tests run that are called like the module or import it, those of the
same name first, until one fails.
A failing test is run once more on the code as it is, so that a test that fails anyway does not count as one that noticed.
"""

import argparse
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "src/demottle"
_WORD = re.compile(r"(?<![{\w])[a-z]{5,}(?![\w}])")
_INSERTED = re.compile(r"\{[^{}]*\}")  # code in a sentence: a change there is not one of words
_FEWEST_WORDS = 5  # of what is a sentence and not a name or key
_PLAIN_NUMBERS = {"0", "1", "2", "3", "0.0", "1.0", "100"}  # places, axes, percent: a change breaks everything at once


@dataclass(frozen=True)
class Mutation:
    """One change: file, line, and the text of its token before and after."""

    file: str
    line: int
    column: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: `{_short(self.before)}` → `{_short(self.after)}`"

    def applied(self, source: str) -> str:
        """Return the source with the change."""
        lines = source.splitlines(keepends=True)
        line = lines[self.line - 1]
        assert line[self.column :].startswith(self.before), self
        lines[self.line - 1] = line[: self.column] + self.after + line[self.column + len(self.before) :]
        return "".join(lines)


def mutations_of(file: str, source: str, chance: random.Random) -> Iterator[Mutation]:
    """Yield a change for every sentence and every telling number of a file; docstrings and comments are left out."""
    last = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text, (line, column) = token.string, token.start
        alone = last in (
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.NL,
        )  # a docstring, or part of a phrase
        if token.type == tokenize.NUMBER and text not in _PLAIN_NUMBERS:
            yield Mutation(file, line, column, text, _other(text))
        elif token.type == tokenize.STRING and "\n" not in text and (not alone or text[0] == "f"):
            inserted = [found.span() for found in _INSERTED.finditer(text)]
            words = [w for w in _WORD.finditer(text) if not any(a < w.start() < b for a, b in inserted)]
            if len(text.split()) >= _FEWEST_WORDS and words:
                word = chance.choice(words)
                yield Mutation(file, line, column, text, text[: word.start()] + "WORD" + text[word.end() :])
        if token.type not in (tokenize.COMMENT,):
            last = token.type


def _other(number: str) -> str:
    """Another number: half as large again; of whole ones the double."""
    return f"({number} * 2)" if re.fullmatch(r"[\d_]+", number) else f"({number} * 1.5)"


def relevant_tests(file: str, root: Path = ROOT) -> list[str]:
    """Return test files: of a module's room those called like it or its folder, then all that import it; else all of the room."""
    module = file.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    room = Path(file).parts[2]
    names = {Path(file).stem, Path(file).parent.name} - {room}
    found, near = [], []
    for test in sorted((root / "tests").rglob("test_*.py")):
        place, text = test.relative_to(root), test.read_text(encoding="utf-8")
        if place.parts[1] == room and any(name in "/".join(place.parts[2:]) for name in names):
            near.append(str(place))
        elif re.search(rf"\b{re.escape(module)}\b", text):
            found.append(str(place))
    return [*near, *found] or [
        str(path.relative_to(root)) for path in sorted((root / "tests" / room).glob("test_*.py"))
    ]


def copy_of(target: Path) -> None:
    """Copy what belongs to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def tried(one: Mutation, tree: Path, seconds: float) -> str:
    """Return what became of a mutation: "noticed", "not noticed", "no tests" or "took too long", with the test that noticed."""
    tests = relevant_tests(one.file, tree)
    if not tests:
        return "no tests"
    path = tree / one.file
    source = path.read_text(encoding="utf-8")
    path.write_text(one.applied(source), encoding="utf-8")
    try:
        status, told = _run(tree, tests, seconds)
    finally:
        path.write_text(source, encoding="utf-8")
    if status != 1:  # 2: the code cannot even be imported
        return {0: "not noticed", 124: "took too long", 5: "no tests"}.get(status, "noticed (import)")
    failing = re.search(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)
    named = failing[1].partition("[")[0] if failing else tests[0]  # without the case: its name may hold spaces
    again, _ = _run(tree, [named], seconds)
    return f"noticed by {named.removeprefix('tests/')}" if again == 0 else f"unclear: {named} fails anyway"


def _run(tree: Path, tests: list[str], seconds: float) -> tuple[int, str]:
    """Run quick tests until one fails; 124 where they take longer than allowed."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return 124, ""
    return done.returncode, done.stdout


def _short(text: str) -> str:
    return text if len(text) <= 70 else f"{text[:67]}..."


def main() -> None:
    """Draw, try, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20, help="mutations to try, half of them sentences")
    parser.add_argument("--seconds", type=float, default=240, help="longest that the tests of one may take")
    parser.add_argument("--only", default="", help="files whose path holds this")
    parser.add_argument("--table", type=Path, help="where the result goes, as Markdown")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / PACKAGE).rglob("*.py")) if asked.only in str(path)]
    drawn = [one for file in files for one in mutations_of(file, (ROOT / file).read_text(encoding="utf-8"), chance)]
    kinds = [[one for one in drawn if one.before[-1] in "\"'"], [one for one in drawn if one.before[-1] not in "\"'"]]
    sentences = asked.count // 2
    chosen = [*chance.sample(kinds[0], sentences), *chance.sample(kinds[1], asked.count - sentences)]
    lines = ["| mutation | what became of it |", "|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_of(tree)
        for one in chosen:
            found = tried(one, tree, asked.seconds)
            print(f"{one}  {found}", flush=True)
            lines.append(f"| {one} | {found} |".replace("||", "\\|\\|"))
    if asked.table:
        asked.table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
