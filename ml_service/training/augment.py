"""Random films from one film. Two shortcuts tell healthy from ill in one hospital's archive, sharpness and
framing, and neither travels; so geometry, blur, exposure and the film's edges are varied hard.

Every function takes the random generator, so a film of an epoch is the same on every run.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey
from ml_service.tasks.film import CROP, Pixels, equalise
from ml_service.training.recipes import Phase

Rng = np.random.Generator
_NOISE = np.random.default_rng(0).standard_normal((1024, 1024), dtype=np.float32)
_LEVELS = np.linspace(0, 1, 256, dtype=np.float32)


def augmented(framed: Grey, phase: Phase, rng: Rng) -> Pixels:
    """Returns a random variant as the network reads it: (side, side, 1), as hard as the phase says."""
    film = moved(framed, phase.side, rng, phase.strength, phase.stretch)
    film = erased(exposed(film, rng, phase.strength), rng, phase.erase)
    pixels = flat_bands(film) if rng.random() < phase.bands else equalise(film)
    return pixels[:, :, np.newaxis]


def varied(framed: Grey, phase: Phase, rng: Rng) -> Pixels:
    """Returns a random variant as a phase of a recipe wants it: (side, side, 1)."""
    if phase.variation == "003":
        return equalise(moved_as_003(framed, phase.side, rng))[:, :, np.newaxis]
    pixels = augmented(framed, phase, rng)
    return hidden(pixels, rng) if phase.hide and rng.random() < phase.hide else pixels


def hidden(pixels: Pixels, rng: Rng) -> Pixels:
    """Greys each cell of a 7 x 7 or 14 x 14 grid by a chance of up to 60 %, so that a network learns to answer from
    whatever is left, and its heat shows all that speaks for an answer, not the strongest place alone (Hide-and-Seek,
    Singh and Lee 2017, https://arxiv.org/abs/1704.04545)."""
    across = int(rng.choice([7, 14]))
    kept = rng.random((across, across)) >= rng.uniform(0, 0.6)
    cell = np.arange(len(pixels)) * across // len(pixels)
    return pixels * kept[cell][:, cell, np.newaxis]


def moved_as_003(framed: Grey, side: int, rng: Rng) -> Grey:
    """As Keras' ImageDataGenerator in system 003: turn up to 32 degrees, shift up to .3, zoom .8 to 1.2 each way, flip;
    the edge goes on outside."""
    angle = np.deg2rad(rng.uniform(-32, 32))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    across, along = CROP * rng.uniform(0.8, 1.2, 2)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    size = framed.shape[0]
    linear = turn @ np.diag([flip * across, along]) * (size / side)
    middle = np.array([size / 2, size / 2]) + rng.uniform(-0.3, 0.3, 2) * size
    matrix = np.column_stack([linear, middle - linear @ np.array([side / 2, side / 2])])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    film = cv2.warpAffine(framed, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return film.astype(np.uint8, copy=False)


def moved(framed: Grey, side: int, rng: Rng, strength: float = 1.0, stretch: float = 0.12) -> Grey:
    """Flip, turn, shift, zoom, stretch and shear; the outside is black."""
    span = np.exp(strength * (rng.uniform(-0.25, 0.25) - 0.045)) * CROP  # share of the film in view
    aspect = np.exp(strength * rng.uniform(-stretch, stretch) / 2)
    angle = np.deg2rad(strength * rng.uniform(-12, 12))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, strength * rng.uniform(-0.08, 0.08)], [0, 1]])
    flip = -1.0 if rng.random() < 0.5 else 1.0
    size = framed.shape[0]
    linear = turn @ shear @ np.diag([flip * span * aspect, span / aspect]) * (size / side)
    middle = np.array([size / 2, size / 2]) + strength * rng.uniform(-0.1, 0.1, 2) * size
    matrix = np.column_stack([linear, middle - linear @ np.array([side / 2, side / 2])])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(framed, matrix, (side, side), flags=flags).astype(np.uint8, copy=False)


def exposed(film: Grey, rng: Rng, strength: float = 1.0) -> Grey:
    """Another exposure, screen and digitiser: curve, bias field, blur or sharpening, noise."""
    x = cv2.LUT(film, _curve(rng, strength)).astype(np.float32, copy=False)
    side = x.shape[0]
    if rng.random() < 0.5:
        field = np.exp(strength * rng.normal(0, 0.15, (3, 3))).astype(np.float32)
        x = x * cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.5, 1.8)) * side / 192)
    x = x + strength * float(rng.uniform(-1.0, 1.0)) * (smooth - x)  # towards the blur, or away from it
    row, column = rng.integers(0, 1024 - side, 2)
    noise = _NOISE[row : row + side, column : column + side]
    x = x + strength * float(rng.uniform(0, 0.05)) * noise
    return np.clip(x * 255, 0, 255).astype(np.uint8)


def _curve(rng: Rng, strength: float) -> NDArray[np.float32]:
    """A random monotone tone curve for the 256 grey levels, 0..1."""
    curve: NDArray[Any] = _LEVELS
    if rng.random() < 0.7 * strength:
        knots = np.cumsum(np.concatenate([[0], rng.uniform(0.3, 1.0, 5)]))
        curve = np.interp(curve, np.linspace(0, 1, 6), knots / knots[-1])
    curve = curve ** np.exp(strength * rng.uniform(-0.4, 0.4))
    curve = (curve - 0.5) * (1 + strength * rng.uniform(-0.3, 0.3)) + 0.5 + strength * rng.uniform(-0.12, 0.12)
    curve = np.where(_LEVELS < 0.03, _LEVELS, curve)  # a black border stays black
    within: NDArray[np.float32] = np.clip(curve, 0, 1).astype(np.float32)
    return within


def erased(film: Grey, rng: Rng, often: float = 1.0) -> Grey:
    """Hides parts: two rectangles, and strips along the edges, filled with one grey level or with noise."""
    side = film.shape[0]
    film = film.copy()
    for _ in range(2):
        if rng.random() < 0.35 * often:
            height, width = (rng.uniform(0.08, 0.30, 2) * side).astype(int)
            top, left = rng.integers(0, side - height), rng.integers(0, side - width)
            _fill(film[top : top + height, left : left + width], rng)
    if rng.random() < 0.4 * often:
        _fill(film[side - int(side * rng.uniform(0, 0.28)) :], rng)
    if rng.random() < 0.4 * often:
        _fill(film[: int(side * rng.uniform(0, 0.18))], rng)
    if rng.random() < 0.3 * often:
        _fill(film[:, : int(side * rng.uniform(0, 0.12))], rng)
    if rng.random() < 0.3 * often:
        _fill(film[:, side - int(side * rng.uniform(0, 0.12)) :], rng)
    return film


def _fill(part: Grey, rng: Rng) -> None:
    kind = rng.random()
    if kind < 0.5:
        part[...] = 0
    elif kind < 0.75:
        part[...] = rng.integers(0, 256)
    else:
        part[...] = rng.integers(0, 256, part.shape, dtype=np.uint8)


def flat_bands(film: Grey) -> Pixels:
    """Five difference-of-Gaussian bands, each scaled to one deviation, added up: (height, width)."""
    x: NDArray[Any] = film.astype(np.float32) / 255
    out = np.zeros_like(x)
    for sigma in (0.8, 1.6, 3.2, 6.4, 12.8):
        smooth = cv2.GaussianBlur(x, (0, 0), sigma * film.shape[0] / 192)
        band = x - smooth
        out += band * (0.45 / (float(band.std()) + 1e-3))  # five bands of 0.45 have deviation 1 together
        x = smooth
    return out
