"""DICOM slices that came as files of their own, as one archive: only together do they make a volume.

The archive is what is kept as the original, and goes through intake as an uploaded one would.
"""

import zipfile

from app_service.intake.sniff import is_dicom
from app_service.storage.file_errors import portal_errors
from app_service.uploads.part_file import PartFile, new_folder

Files = tuple[tuple[str, PartFile], ...]
_COPY_BYTES = 2**20


def bundled(files: Files, max_bytes: int) -> Files:
    """The files of an upload, with all its DICOM files, when they are several, in the place of the first."""
    slices = [(name, part) for name, part in files if not part.too_large and is_dicom(part.path)]
    if len(slices) < 2:
        return files
    first, _ = slices[0]
    archive = PartFile(new_folder(), max_bytes)
    with portal_errors(), zipfile.ZipFile(archive, "w") as packed:
        for number, (name, part) in enumerate(slices, 1):
            with part.path.open("rb") as source, packed.open(f"{number:04}/{name}", "w") as target:
                while block := source.read(_COPY_BYTES):
                    target.write(block)
            part.path.unlink()
    archive.close()
    taken = {id(part) for _, part in slices}
    name = f"{first} and {len(slices) - 1} more.zip"
    at = next(index for index, (_, part) in enumerate(files) if id(part) in taken)
    return (*files[:at], (name, archive), *(item for item in files[at:] if id(item[1]) not in taken))
