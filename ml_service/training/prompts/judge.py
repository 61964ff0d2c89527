"""How well a network outlines the objects of some slices, each from its tight box."""

import keras
import numpy as np

from ml_service.prompts import compact
from ml_service.training.masks.scores import dice
from ml_service.training.prompts.objects import box_of, things
from ml_service.training.prompts.sources import Slice

MOST = 24  # slices


class Judge:
    """Keeps what the network reads, so that looking again costs its own time alone."""

    def __init__(self, slices: list[Slice]) -> None:
        self._slices = slices[:: max(1, len(slices) // MOST)]
        self._read = []
        for one in self._slices:
            levels = compact.spread(one.plane)
            found = list(things(one.labels, one.names)) if one.labels is not None else []
            boxes = [box_of(thing.mask) for thing in found]
            patches = [compact.patch(one.plane, box, levels) for box in boxes]
            places = [compact.shares(box, one.plane.shape) for box in boxes]
            if found:
                self._read.append((one, found, boxes, compact.prepare(one.plane), np.stack(patches), np.stack(places)))

    def dice(self, network: keras.Model) -> float:
        """Returns the mean Dice coefficient of a `box_prompt` network: over structures' means."""
        scores: dict[tuple[str, str], list[float]] = {}
        encoder, decoder = network.get_layer("encoder"), network.get_layer("decoder")
        for one, found, boxes, pixels, patches, places in self._read:
            embedding = encoder(pixels[None], training=False)
            known = np.repeat(np.asarray(embedding), len(patches), axis=0)
            read = {"embedding": known, "patches": patches, "rectangles": places}
            logits = np.asarray(decoder(read, training=False))[..., 0]
            for thing, box, own in zip(found, boxes, logits, strict=True):
                mask = compact.placed(own, box, one.plane.shape)
                scores.setdefault((one.patient, thing.name), []).append(dice(mask > 0, thing.mask > 0))
        return float(np.mean([np.mean(values) for values in scores.values()]))
