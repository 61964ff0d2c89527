"""What the visitors do: look at pages, ask how a job stands, upload films, sign in. From several addresses."""

import io
import itertools
import json
import uuid
from collections.abc import Mapping, Sequence

import aiohttp

from benchmarks.load.answers import Answers
from benchmarks.load.arrivals import ANSWERED, BROKEN, REFUSED
from benchmarks.load.connections import ADDRESSES, session_from
from benchmarks.load.people import Person
from benchmarks.servers import PASSWORD

PATIENCE_S = 60.0
_BOUNDARY = "lightbox-load"
MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"
# Of ten looks two are whole pages, one a thumbnail, and seven the fragments that pages ask for while a job runs.
_LOOKS = ("/", "row", "row", "answer", "study", "image", "row", "answer", "row", "answer")


def outcome(status: int, headers: Mapping[str, str], for_program: bool) -> str:
    """A refusal counts as one only where it says when to come back, and to a program what is wrong."""
    if status < 400:
        return ANSWERED
    told = "Retry-After" in headers
    if for_program:
        told = told and headers.get("Content-Type", "").startswith("application/problem+json")
    return REFUSED if status in (429, 502, 503, 504) and told else BROKEN


def multipart(film: bytes) -> bytes:
    """An upload's body."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="film.png"\r\n\r\n'
    return head.encode() + film + f"\r\n--{_BOUNDARY}--\r\n".encode()


class Visitors:
    """One doctor's pages and programs, and `others`, by name, who sign in. `said` counts by method and status what was
    no success."""

    def __init__(
        self, url: str, authority: str, doctor: Person, others: Sequence[str], films: Sequence[bytes], answers: Answers
    ) -> None:
        self._url, self._doctor, self._answers = url, doctor, answers
        self._bodies = itertools.cycle([multipart(film) for film in films])
        self._others, self._looks = itertools.cycle(others), itertools.cycle(_LOOKS)
        self._authority = authority
        self._sessions: list[aiohttp.ClientSession] = []
        self.said: dict[str, int] = {}

    async def __aenter__(self) -> "Visitors":
        for address in ADDRESSES:
            self._sessions.append(session_from(address, self._authority, aiohttp.ClientTimeout(total=PATIENCE_S)))
        self._turns = itertools.cycle(self._sessions)
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._sessions:
            await each.close()

    async def page(self) -> str:
        """The next look of a doctor's browser."""
        look, (study, job) = next(self._looks), self._answers.newest()
        path = {"study": f"/studies/{study}", "image": f"/studies/{study}/image?thumbnail=1"}.get(look)
        path = path or ("/" if look == "/" else f"/jobs/{job}/{look}")
        headers = {"Cookie": self._doctor.cookies, "Accept": "text/html"}
        if look in ("row", "answer"):
            headers |= {"HX-Request": "true", "Accept": "*/*"}
        return await self._ask("GET", path, headers)

    async def poll(self) -> str:
        """How a job stands, as a program asks."""
        _, job = self._answers.newest()
        return await self._ask("GET", f"/api/v1/jobs/{job}", self._bearer())

    async def upload(self) -> str:
        """A film; what is accepted goes into the answers' book."""
        headers = self._bearer() | {
            "Content-Type": MULTIPART,
            "Idempotency-Key": uuid.uuid4().hex,
        }
        return await self._ask("POST", "/api/v1/studies", headers, next(self._bodies))

    async def sign_in(self) -> str:
        """Somebody's name and password."""
        name = next(self._others)
        said = json.dumps({"username": name, "password": PASSWORD}).encode()
        return await self._ask("POST", "/api/v1/sessions", {"Content-Type": "application/json"}, said)

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._doctor.token}"}

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> str:
        data = io.BytesIO(body) if body and len(body) > 2**16 else body
        try:
            async with next(self._turns).request(
                method, self._url + path, headers=headers, data=data, allow_redirects=False
            ) as answer:
                if answer.status == 201 and path == "/api/v1/studies":
                    self._answers.accept(await answer.json())
                else:
                    await answer.read()
                found = outcome(answer.status, answer.headers, path.startswith("/api"))
                if found != ANSWERED:
                    self._count(f"{method} {answer.status}")
                return found
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._count(f"{method} {type(error).__name__}")
            return BROKEN

    def _count(self, what: str) -> None:
        self.said[what] = self.said.get(what, 0) + 1
