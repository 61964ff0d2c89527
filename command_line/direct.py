"""A large file straight to the portal's store, by a permit of the portal's, where it gives one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests
from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor

from command_line.portal import PATIENCE_S, Portal, Refused
from portal_wire.contract import Uploaded

LARGE_BYTES = 16 * 2**20  # smaller ones do not ask; from which size on it gives permits is the portal's own setting
_BY_THE_PORTAL = (403, 404, 405, 409)  # files do not go straight to the store there, or the portal is an older one


def send_directly(
    portal: Portal, drop: Sequence[Path], models: Sequence[str], about: str | None, sent: Callable[[int], None]
) -> Uploaded | None:
    """`about` is the patient reference; `sent(n)` is told after every n bytes more. None where the drop is to go by the
    portal: it is small or several files, there is no permit, or the store does not take it. Raises as Portal.call."""
    size = drop[0].stat().st_size
    if len(drop) > 1 or size < LARGE_BYTES:
        return None
    wanted = {"filename": drop[0].name, "size_bytes": size, "models": list(models), "patient_reference": about}
    try:
        permit = portal.call("POST", "/uploads", json=wanted).json()
    except Refused as error:
        if error.status in _BY_THE_PORTAL:
            return None
        raise
    if not _taken(permit, drop[0], sent):
        portal.call("DELETE", f"/uploads/{permit['id']}")
        return None
    return Uploaded.model_validate_json(portal.call("POST", f"/uploads/{permit['id']}/complete").content)


def _taken(permit: dict[str, Any], file: Path, sent: Callable[[int], None]) -> bool:
    """Whether the store took the file."""
    before = 0

    def tell(monitor: MultipartEncoderMonitor) -> None:
        nonlocal before
        sent(monitor.bytes_read - before)
        before = monitor.bytes_read

    with file.open("rb") as content:
        fields = [*permit["fields"].items(), ("file", (file.name, content, "application/octet-stream"))]
        body = MultipartEncoderMonitor(MultipartEncoder(fields), tell)
        headers = {"Content-Type": body.content_type}
        try:
            taken = requests.post(permit["url"], data=body, headers=headers, timeout=PATIENCE_S).status_code == 201
        except requests.RequestException:
            taken = False
    if not taken:
        sent(-before)  # it was for nothing, and goes once more
    return taken
