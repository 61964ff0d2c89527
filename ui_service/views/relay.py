"""Files that App sends, handed on to the browser as they come."""

import requests
from werkzeug.wrappers import Response

_KEPT = ("Content-Type", "Content-Length", "Content-Disposition")
_CHUNK_BYTES = 65536


def relayed(answer: requests.Response) -> Response:
    """`answer` (asked for with stream=True) as our own, its type, length and file name kept, never held in memory."""
    headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    response = Response(answer.iter_content(_CHUNK_BYTES), status=answer.status_code, headers=headers)
    response.call_on_close(answer.close)
    return response
