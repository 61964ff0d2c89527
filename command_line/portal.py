"""One portal, seen from outside: its REST interface under /api, with a bearer token."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import requests
from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor

from portal_wire.contract import Job, JobPage, Uploaded

AGAIN = {401, 408, 425, 429}  # of the 4xx those that say nothing about what was sent
PATIENCE_S = (5, 150)  # to connect, and between two bytes of an answer
STUDIES_A_QUESTION = 200  # keeps the address line of a request short


class Refused(click.ClickException):
    """The portal will not have what was sent, however often it is sent."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class Portal:
    """`authority` is the file of a certificate authority that the system does not know. With a `service_token`,
    `address` is App's own and no NGINX stands between."""

    def __init__(self, address: str, token: str | None, authority: str | None, service_token: str = "") -> None:
        self._api = f"{address.rstrip('/')}{'' if service_token else '/api'}/v1"
        self._session = requests.Session()
        self._authority = (
            authority or True
        )  # told with each call: the session's own counts less than REQUESTS_CA_BUNDLE
        if service_token:
            self._session.headers["X-Service-Token"] = service_token
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Returns the answer. Raises Refused with the portal's own words, and ClickException for what may go away: a
        portal that is not there or busy, a token that has ended."""
        try:
            answer = self._session.request(
                method, self._api + path, timeout=PATIENCE_S, verify=self._authority, **options
            )
        except requests.exceptions.SSLError as error:
            raise click.ClickException(
                "The portal's certificate is signed by an authority that is not known here: name it by --authority."
            ) from error
        except requests.RequestException as error:
            raise click.ClickException("The portal does not answer at this address.") from error
        if answer.status_code == 401 and path != "/sessions":
            raise click.ClickException("The token is missing or no longer good: see `lightbox sign-in --help`.")
        if answer.status_code >= 400:
            if answer.status_code < 500 and answer.status_code not in AGAIN:
                raise Refused(_told(answer), answer.status_code)
            raise click.ClickException(_told(answer))
        return answer

    def upload(
        self,
        files: Sequence[Path],
        models: Sequence[str],
        patient_reference: str | None,
        sent: Callable[[int], None] = lambda count: None,
        key: str | None = None,
        fast: bool = False,
    ) -> Uploaded:
        """Sends files in one drop, never whole in memory. `sent(n)` is told after every n bytes more. With a `key` the
        same drop may be sent again and makes nothing twice. `fast` is the setting of the models named."""
        with ExitStack() as stack:
            fields: list[tuple[str, Any]] = [
                ("file", (path.name, stack.enter_context(path.open("rb")), "application/octet-stream"))
                for path in files
            ]
            fields += [("model", model) for model in models]
            fields += [("fast", "true")] if fast else []
            if patient_reference:
                fields.append(("patient_reference", patient_reference))
            body = MultipartEncoderMonitor(MultipartEncoder(fields), _Advance(sent))
            headers = {"Content-Type": body.content_type} | ({"Idempotency-Key": key} if key else {})
            answer = self.call("POST", "/studies", data=body, headers=headers)
        return Uploaded.model_validate_json(answer.content)

    def jobs_of(self, studies: Sequence[str]) -> Iterator[Job]:
        """Yields every job of the studies as it stands now."""
        for at in range(0, len(studies), STUDIES_A_QUESTION):
            cursor: str | None = None
            while True:
                asked = {"study_id": ",".join(studies[at : at + STUDIES_A_QUESTION]), "limit": 500, "cursor": cursor}
                page = JobPage.model_validate_json(self.call("GET", "/jobs", params=asked).content)
                yield from page.items
                if (cursor := page.next_cursor) is None:
                    break

    def job(self, job_id: str) -> Job:
        """Returns one job."""
        return Job.model_validate_json(self.call("GET", f"/jobs/{job_id}").content)


class _Advance:
    """Turns "so many bytes in all" into "so many more"."""

    def __init__(self, sent: Callable[[int], None]) -> None:
        self._sent, self._before = sent, 0

    def __call__(self, monitor: MultipartEncoderMonitor) -> None:
        self._sent(monitor.bytes_read - self._before)
        self._before = monitor.bytes_read


def _told(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The portal answered with status {answer.status_code}."
