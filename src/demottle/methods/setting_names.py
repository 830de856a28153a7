"""The names of a method's settings as its source spells them: a wrong one is refused before torch is imported."""

import ast
from importlib.util import find_spec
from pathlib import Path

from demottle.methods.registry import method


def setting_names(name: str) -> frozenset[str] | None:
    """Return the names of a method's settings; None where its source does not tell (the import then does).

    Raises:
        InputError: for a method that there is not.
    """
    return _fields(method(name).module, "Settings")


def _fields(module: str, wanted: str) -> frozenset[str] | None:
    """Fields of a dataclass that a module defines, imports, or knows under another name, those of its bases included."""
    tree = _tree(module)
    if tree is None:
        return None
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == wanted:
            own = {part.target.id for part in node.body if _is_field(part)}  # type: ignore[attr-defined]
            inherited = [_fields_of(base, module, imported) for base in node.bases]
            return None if None in inherited else frozenset(own).union(*(found or () for found in inherited))
        if isinstance(node, ast.Assign) and (value := _assigned(node, wanted)) is not None:
            return _fields_of(value, module, imported)
    if wanted in imported:
        return _fields(*imported[wanted])
    return None


def _fields_of(named: ast.expr, module: str, imported: dict[str, tuple[str, str]]) -> frozenset[str] | None:
    """Fields of the class that an expression names: `Name`, or `module.Name` of an imported module."""
    if isinstance(named, ast.Name):
        return _fields(module, named.id)
    if isinstance(named, ast.Attribute) and isinstance(named.value, ast.Name) and named.value.id in imported:
        return _fields(".".join(imported[named.value.id]), named.attr)
    return None


def _assigned(node: ast.Assign, wanted: str) -> ast.expr | None:
    """What a name is set to, alone or as one of several."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Name) and target.id == wanted:
        return value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)
        return next((to for name, to in pairs if isinstance(name, ast.Name) and name.id == wanted), None)
    return None


def _is_field(part: ast.stmt) -> bool:
    return isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)


def _tree(module: str) -> ast.Module | None:
    try:
        spec = find_spec(module)
        return None if spec is None or spec.origin is None else ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError, ValueError):
        return None
