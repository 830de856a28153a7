"""Names in braces in paths: OUT/{case}/{method}/repeat-{repeat} stands for every file or folder that is so called."""

import re
from collections.abc import Mapping
from glob import glob
from pathlib import Path

NAMES = ("case", "method", "repeat")
NAME = re.compile(r"\{(" + "|".join(NAMES) + r")\}")


def found(pattern: str) -> list[tuple[Path, dict[str, str]]]:
    """Return what exists and matches a pattern, each with its names, sorted; numbers in names count as numbers."""
    matcher = _matcher(pattern)
    paths = glob(NAME.sub("*", pattern))  # noqa: PTH207 - a pattern may be absolute, which Path.glob refuses
    matches = [(Path(path), matcher.fullmatch(path.rstrip("/"))) for path in sorted(paths, key=_natural)]
    return [(path, match.groupdict()) for path, match in matches if match is not None]


def meant(path: Path) -> list[Path]:
    """What a path stands for: itself, or, where it has names in braces, all that is so called."""
    return [one for one, _ in found(str(path))] if NAME.search(str(path)) else [path]


def filled(path: Path | None, names: Mapping[str, str]) -> Path | None:
    """Put names in place of their braces; a brace whose name is not given stays."""
    return None if path is None else Path(NAME.sub(lambda one: names.get(one[1], one[0]), str(path)))


def holds(path: Path | None, name: str) -> bool:
    """True where a path has {name} in it."""
    return path is not None and f"{{{name}}}" in str(path)


def _matcher(pattern: str) -> re.Pattern[str]:
    """The pattern as an expression: a name that comes twice has to be the same both times."""
    parts, seen, last = "", set[str](), 0
    for one in NAME.finditer(pattern):
        parts += _literal(pattern[last : one.start()])
        name = one[1]
        parts += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)"
        seen.add(name)
        last = one.end()
    return re.compile(parts + _literal(pattern[last:].rstrip("/")))


def _literal(text: str) -> str:
    return "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in text)


def _natural(text: str) -> list[tuple[int, str]]:
    """repeat-2 before repeat-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]
