"""Random films with their masks: what moves the film moves the mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels, equalise
from ml_service.training.augment import Rng, erased, exposed
from ml_service.training.masks.pairs import Pair


def varied(pair: Pair, side: int, rng: Rng, opacities: float = 0.0) -> tuple[Pixels, NDArray[np.float32]]:
    """Returns a random variant: film (side, side, 1) as the network reads it, masks (side, side, 2) from 0 to 1.
    With probability `opacities` a lung is given white patches, each lung for itself."""
    height, width = pair.plane.shape
    span, aspect = np.exp(rng.uniform(-0.25, 0.2)), np.exp(rng.uniform(-0.15, 0.15) / 2)
    angle = np.deg2rad(rng.uniform(-15, 15))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.uniform(-0.1, 0.1)], [0, 1]])
    flipped = rng.random() < 0.5
    scale = np.diag([(-1.0 if flipped else 1.0) * span * aspect * width / side, span / aspect * height / side])
    linear = turn @ shear @ scale
    middle = np.array([width / 2, height / 2]) + rng.uniform(-0.12, 0.12, 2) * (width, height)
    matrix = np.column_stack([linear, middle - linear @ np.array([side / 2, side / 2])])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # At twice the size and averaged: a jump over pixels would look sharper than any film that is asked about.
    double = matrix @ np.diag([0.5, 0.5, 1])
    large = cv2.warpAffine(pair.plane, double, (2 * side, 2 * side), flags=flags)
    film = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    large = cv2.warpAffine(pair.masks * 255, double, (2 * side, 2 * side), flags=flags)
    masks = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    if flipped:  # the right lung is the one on the picture's left
        masks = masks[:, :, ::-1]
    for lung in np.moveaxis(masks, 2, 0):
        if rng.random() < opacities:
            film = whitened(film, lung, rng)
    film = erased(exposed(film, rng), rng, often=0.3)
    return equalise(film)[:, :, np.newaxis], masks


def whitened(film: Grey, lung: NDArray[np.float32], rng: Rng) -> Grey:
    """Returns the film (side, side) with smooth patches in a lung as white as what surrounds lungs: ill ones are hard
    to outline where they have no edge, and few films show that."""
    side = film.shape[0]
    cells = rng.normal(rng.uniform(-0.5, 1.0), 1, (int(rng.integers(3, 8)),) * 2).astype(np.float32)
    cover = np.clip(cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)
    inside = cv2.GaussianBlur(np.ascontiguousarray(lung), (0, 0), side / 96)
    share = np.float32(rng.uniform(0.5, 1.0)) * cover * inside
    white = np.float32(np.percentile(film, rng.uniform(60, 90)))
    whiter: Grey = (film + share * np.maximum(white - film, 0)).astype(np.uint8)
    return whiter
