"""The tiles of one image: cut apart, and joined again."""

from typing import Any

from numpy.typing import NDArray


def cut(plane: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the tiles of a mosaic, row by row: shape (side * side, rows, columns)."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    return plane.reshape(side, rows, side, columns).transpose(0, 2, 1, 3).reshape(side * side, rows, columns)


def join(tiles: NDArray[Any], side: int) -> NDArray[Any]:
    """Undo `cut`: one plane."""
    _, rows, columns = tiles.shape
    return tiles.reshape(side, side, rows, columns).transpose(0, 2, 1, 3).reshape(side * rows, side * columns)
