"""An upload's body, taken part by part as it comes in; its files go straight to disk.

By `multipart` (https://multipart.readthedocs.io): Werkzeug's parser compiles four regular expressions anew for every
request's boundary, which costs a film a third of its upload.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser
from werkzeug.http import parse_options_header

from app_service.uploads.part_file import PartFile, new_folder
from portal_wire.errors import BadRequest, TooLarge

CHUNK_BYTES = 2**18
LONGEST_HEADER = 16 * 2**10
MOST_FIELD_BYTES = 500_000  # of all parts that are no files


@dataclass
class Body:
    """`files` are (name as sent, received file) of the parts called `file`; `fields` the texts of the others."""

    files: list[tuple[str, PartFile]] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)


def read_body(request: Request, max_parts: int, max_file_bytes: int) -> Body:
    """Receive the whole body. Raises BadRequest for one that is no form or ends too early, TooLarge for one with more
    than `max_parts` parts or too much text."""
    body = Body()
    try:
        parser = PushMultipartParser(
            request.mimetype_params.get("boundary", ""),
            content_length=-1 if request.content_length is None else request.content_length,
            max_header_size=LONGEST_HEADER,
            max_segment_count=max_parts,
        )
        _fill(body, parser.parse_blocking(request.stream.read, CHUNK_BYTES), max_file_bytes)
    except ParserLimitReached as error:
        raise TooLarge(f"Expected at most {max_parts} parts in one upload, with short headers.") from error
    except MultipartError as error:
        raise BadRequest("The form is damaged or ends too early. Send it again.", code="bad_form") from error
    return body


def _fill(body: Body, events: Iterable[Any], max_file_bytes: int) -> None:
    """A part's events are its head, its bytes in pieces, and None at its end."""
    room = MOST_FIELD_BYTES
    options: dict[str, str] = {}
    target: PartFile | io.BytesIO = io.BytesIO()
    for event in events:
        if isinstance(event, MultipartSegment):
            # Werkzeug's reading knows `filename*` too, which some clients send though RFC 7578 (4.2) forbids it.
            _, options = parse_options_header(event.header("Content-Disposition"))
            target = PartFile(new_folder(), max_file_bytes) if "filename" in options else io.BytesIO()
        elif event is not None:
            target.write(event)
            room -= len(event) if isinstance(target, io.BytesIO) else 0
            if room < 0:
                raise TooLarge(f"Expected at most {MOST_FIELD_BYTES} bytes of text beside the files.")
        elif isinstance(target, io.BytesIO):
            body.fields.setdefault(options.get("name", ""), []).append(target.getvalue().decode("utf-8", "replace"))
        else:
            target.close()
            if options.get("name") == "file":
                body.files.append((options["filename"], target))
