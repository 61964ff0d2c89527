"""From a frame as it is stored to values with a meaning (PS3.3 C.11.1), then to grey levels (C.11.2, C.7.6.3.1.2).

The standard's order: modality LUT, VOI LUT or window, and MONOCHROME1 turned round last.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.uid import ExplicitVRBigEndian

from app_service.intake.dicom_names import TRANSFER_SYNTAXES
from app_service.intake.pixels import Pixels
from app_service.intake.refusals import bad_values, corrupt

Values = NDArray[Any]  # int32 or float32: Hounsfield units, stored values of an X-ray, ...


def frame(header: FileDataset, index: int) -> NDArray[Any]:
    """Stored values of one frame: rows, columns[, red green blue]. Raises Unprocessable `corrupt`."""
    syntax = header.file_meta.TransferSyntaxUID
    plugin = TRANSFER_SYNTAXES[syntax] or ""
    try:
        stored, _ = get_decoder(syntax).as_array(header, index=index, decoding_plugin=plugin)
    except (RuntimeError, ValueError, AttributeError, KeyError, TypeError, IndexError, OSError) as error:
        raise corrupt("Its DICOM picture data cannot be read to the end.") from error
    if not plugin:
        stored = _without_foreign_bits(stored, header)
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)


def _without_foreign_bits(stored: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """Old files keep overlays in the bits beside the picture's."""
    allocated, kept = int(header.BitsAllocated), int(header.BitsStored)
    high = int(header.get("HighBit", kept - 1))
    if kept == allocated or not kept - 1 <= high < allocated:
        return stored
    shifted: NDArray[Any] = np.left_shift(stored, allocated - 1 - high) >> (allocated - kept)
    return shifted


def padding(stored: NDArray[Any], header: Dataset) -> NDArray[np.bool_] | None:
    """Where there is no picture (C.7.5.1.1.2), or None where all is picture."""
    value = header.get("PixelPaddingValue")
    if value is None:
        return None
    end = header.get("PixelPaddingRangeLimit", value)
    low, high = sorted((int(value), int(end)))
    found: NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return found if found.any() and not found.all() else None


def modality_values(stored: NDArray[Any], header: Dataset) -> Values:
    """Values with a meaning. `header` has the rescale of this very frame. Raises Unprocessable `bad_values`."""
    try:
        if header.get("ModalityLUTSequence"):
            return apply_modality_lut(stored, header).astype(np.float32)
        slope, intercept = (float(header.get(name, usual)) for name, usual in RESCALE)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise bad_values() from error
    if not (np.isfinite([slope, intercept]).all() and slope and abs(slope) < 1e6 and abs(intercept) < 1e9):
        raise bad_values()
    if slope == int(slope) and intercept == int(intercept) and abs(slope) < 2**14 and abs(intercept) < 2**30:
        return stored.astype(np.int32) * int(slope) + int(intercept)
    return stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)


RESCALE = (("RescaleSlope", 1), ("RescaleIntercept", 0))


def grey_levels(stored: NDArray[Any], header: Dataset) -> Pixels:
    """An X-ray as it is to be seen: 8-bit when it was stored so, else 16-bit over the full range, white bright."""
    values, outside = modality_values(stored, header), padding(stored, header)
    most = 255 if int(header.BitsStored) <= 8 else 65535
    share = _voi(values, header)
    if share is None and most == 255 and values.dtype == np.int32 and 0 <= values.min() and values.max() <= 255:
        levels = values.astype(np.float32)
    else:
        levels = most * (_whole_range(values, outside) if share is None else share)
    if header.PhotometricInterpretation == "MONOCHROME1" or header.get("PresentationLUTShape") == "INVERSE":
        levels = most - levels
    if outside is not None:
        levels[outside] = 0
    return np.rint(levels).astype(np.uint8 if most == 255 else np.uint16)


def _whole_range(values: Values, outside: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    inside = values if outside is None else values[~outside]
    low, high = float(inside.min()), float(inside.max())
    return _clipped((values.astype(np.float32) - low) / max(high - low, 1e-9))


def _voi(values: Values, header: Dataset) -> NDArray[np.float32] | None:
    """0 to 1 by the file's first VOI LUT or window; None where it names none. Raises Unprocessable `bad_values`."""
    try:
        if tables := header.get("VOILUTSequence"):
            return _looked_up(values, tables[0])
        if header.get("WindowCenter") is None or header.get("WindowWidth") is None:
            return None
        centre, width = _first(header.WindowCenter), _first(header.WindowWidth)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise bad_values() from error
    return window(values, centre, width, str(header.get("VOILUTFunction") or "LINEAR"))


def window(values: Values, centre: float, width: float, function: str = "LINEAR") -> NDArray[np.float32]:
    """C.11.2.1.2 and C.11.2.1.3, from 0 to 1. Raises Unprocessable `bad_values` for a window that is none."""
    least = 1 if function == "LINEAR" else 1e-9
    if not (np.isfinite([centre, width]).all() and width >= least):
        raise bad_values()
    x = values.astype(np.float32)
    if function == "SIGMOID":
        return _clipped(1 / (1 + np.exp(np.clip(-4 * (x - centre) / width, -80, 80))))
    if function == "LINEAR_EXACT":
        return _clipped((x - centre) / width + 0.5)
    return _clipped((x - (centre - 0.5)) / max(width - 1, 1e-3) + 0.5)


def _clipped(share: NDArray[Any]) -> NDArray[np.float32]:
    clipped: NDArray[np.float32] = np.clip(share, 0, 1).astype(np.float32, copy=False)
    return clipped


def _looked_up(values: Values, table: Dataset) -> NDArray[np.float32]:
    count, first, bits = (int(number) for number in table.LUTDescriptor)
    entries = table.LUTData
    if isinstance(entries, bytes):
        entries = np.frombuffer(entries, "<u1" if len(entries) == (count or 65536) else "<u2")
    lut = np.asarray(entries, np.float32)
    if lut.size != (count or 65536) or not 8 <= bits <= 16:
        raise ValueError("not a look-up table")
    signed = first - 65536 if first > 32767 and values.min() < 0 else first
    places = np.clip(np.rint(values).astype(np.int64) - signed, 0, lut.size - 1)
    return lut[places] / np.float32(2**bits - 1)


def _first(value: Any) -> float:
    return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)


def colours(stored: NDArray[Any], header: FileDataset) -> Pixels:
    """Blue, green, red. Raises Unprocessable `corrupt` for a palette that is none."""
    if header.PhotometricInterpretation == "PALETTE COLOR":
        try:
            stored = apply_color_lut(stored, _little_endian_palette(header))
        except (AttributeError, ValueError, IndexError, KeyError, TypeError) as error:
            raise corrupt("Its colour palette is damaged.") from error
        if stored.dtype == np.uint16:
            stored = (stored >> 8).astype(np.uint8)
    return np.ascontiguousarray(stored[..., ::-1])


def _little_endian_palette(header: FileDataset) -> Dataset:
    """pydicom reads the words of a palette as little-endian whatever the file says."""
    if header.file_meta.TransferSyntaxUID != ExplicitVRBigEndian:
        return header
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTableData"
        if isinstance(words := header.get(name), bytes):
            header[name].value = np.frombuffer(words, ">u2").astype("<u2").tobytes()
    return header
