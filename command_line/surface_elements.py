"""The surface between the pixels of a mask: where it runs, and how large each of its pieces is.

A piece lies between 2 x 2 (2 x 2 x 2) neighbours that are not all alike. It goes through the middles of the edges
between unlike neighbours, as in marching cubes (Lorensen and Cline, Computer Graphics 21(4), 1987); where the
diagonal neighbours of a face are alike, each one that is set is cut off alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, ...]
Edge = frozenset[Corner]


def surface_pieces(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> NDArray[np.float32]:
    """Returns the length (mm) or area (mm²) of the surface at each corner between pixels, those outside of the mask's
    border too: one more than `mask` along each axis."""
    around = np.pad(mask, 1)
    codes = np.zeros([side + 1 for side in mask.shape], np.uint8)
    for number, corner in enumerate(product((0, 1), repeat=mask.ndim)):
        there = tuple(slice(at, at + side) for at, side in zip(corner, codes.shape, strict=True))
        codes |= around[there].astype(np.uint8) << number
    return np.array(_sizes(tuple(spacing_mm)), np.float32)[codes]


@cache
def _sizes(spacing_mm: tuple[float, ...]) -> list[float]:
    """The size of the piece for each way to set the corners, which are numbered as in `surface_pieces`."""
    corners = list(product((0, 1), repeat=len(spacing_mm)))
    found = []
    for code in range(2 ** len(corners)):
        inside = {corner for number, corner in enumerate(corners) if code >> number & 1}
        flat = len(spacing_mm) == 2
        pieces: Sequence[Sequence[Edge]] = _lines(corners, inside) if flat else _loops(corners, inside)
        found.append(sum((_length if flat else _area)(piece, spacing_mm) for piece in pieces))
    return found


def _lines(face: list[Corner], inside: set[Corner]) -> list[tuple[Edge, Edge]]:
    """Where the surface crosses a face of four corners: pairs of edges."""
    cut = [Edge(pair) for pair in combinations(face, 2) if np.abs(np.subtract(*pair)).sum() == 1]
    cut = [edge for edge in cut if len(edge & inside) == 1]
    if len(cut) == 2:
        return [(cut[0], cut[1])]
    pairs = [[edge for edge in cut if corner in edge] for corner in face if corner in inside]
    return [(pair[0], pair[1]) for pair in pairs if cut]


def _loops(corners: list[Corner], inside: set[Corner]) -> list[list[Edge]]:
    """The borders of the pieces in a cube: the lines on its six faces, one after the other."""
    next_to: dict[Edge, list[Edge]] = defaultdict(list)
    for axis, side in product(range(3), (0, 1)):
        for first, second in _lines([corner for corner in corners if corner[axis] == side], inside):
            next_to[first].append(second)
            next_to[second].append(first)
    loops = []
    while next_to:
        edge: Edge | None = next(iter(next_to))
        loop = []
        while edge is not None:
            loop.append(edge)
            edge = next((other for other in next_to.pop(edge) if other in next_to), None)
        loops.append(loop)
    return loops


def _length(line: Sequence[Edge], spacing_mm: tuple[float, ...]) -> float:
    return float(np.linalg.norm(np.subtract(*_ends(line, spacing_mm))))


def _area(loop: Sequence[Edge], spacing_mm: tuple[float, ...]) -> float:
    """Of the triangles between the loop and its middle."""
    spokes = _ends(loop, spacing_mm)
    spokes -= spokes.mean(axis=0)
    return float(np.linalg.norm(np.cross(spokes, np.roll(spokes, -1, axis=0)), axis=1).sum() / 2)


def _ends(edges: Sequence[Edge], spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    middles = [np.mean(list(edge), axis=0) for edge in edges]
    return np.array(middles, np.float64) * spacing_mm
