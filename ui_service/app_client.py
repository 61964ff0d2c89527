"""Every call from the UI tier to App, in one place, made with the doctor's own token."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import requests

from portal_wire.contract import (
    Job,
    JobPage,
    Limits,
    Model,
    ModelList,
    Prompt,
    Review,
    Session,
    Study,
    StudyPage,
    Uploaded,
    User,
)
from portal_wire.http_client import ServiceClient
from ui_service.account_calls import AccountCalls
from ui_service.direct_calls import DirectCalls
from ui_service.sharing_calls import SharingCalls

# App sends a comment every 15 s on an idle event stream; silence longer than this means that it has gone.
_EVENTS_TIMEOUT_S = 40.0
_UPLOAD_TIMEOUT_S = 120.0
_LOAD_TIMEOUT_S = 90.0  # a version is checked before it may answer
_NONE: Mapping[str, str] = {}


class AppTier(AccountCalls, SharingCalls, DirectCalls):
    """App as one person sees it. Every method raises the PortalError that App answered."""

    def __init__(
        self, client: ServiceClient, token: str | None, address: str | None, *, by_itself: bool = False
    ) -> None:
        self._client = client
        self._headers = {"X-Forwarded-For": address} if address else {}
        if by_itself:
            self._headers["X-By-Itself"] = "1"  # no person's doing: it does not lengthen the session
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def sign_in(self, username: str, password: str, otp: str = "") -> Session:
        body = {"username": username, "password": password} | ({"otp": otp} if otp else {})
        return Session.model_validate_json(self._call("POST", "/v1/sessions", json=body).content)

    def sign_out(self) -> None:
        self._call("DELETE", "/v1/sessions/current")

    def me(self) -> User:
        return User.model_validate_json(self._call("GET", "/v1/me").content)

    def status(self) -> dict[str, Any]:
        """Dependencies, queue and last failures; the keys are in App's OpenAPI document."""
        state: dict[str, Any] = self._call("GET", "/v1/status", timeout_s=5.0).json()
        return state

    def limits(self) -> Limits:
        return Limits.model_validate_json(self._call("GET", "/v1/limits").content)

    def studies(self, filters: Mapping[str, str], limit: int = 50) -> StudyPage:
        """Newest first. `filters` are q, state, from, to and cursor."""
        params = {"limit": str(limit), **filters}
        return StudyPage.model_validate_json(self._call("GET", "/v1/studies", params=params).content)

    def study(self, study_id: str) -> Study:
        return Study.model_validate_json(self._call("GET", f"/v1/studies/{study_id}").content)

    def delete_study(self, study_id: str) -> None:
        self._call("DELETE", f"/v1/studies/{study_id}")

    def jobs_of(self, study_ids: Sequence[str], purpose: str | None = None) -> list[Job]:
        """The jobs of these studies, newest first: all, or those that "answer" for it or "compare" models."""
        if not study_ids:
            return []
        params = {"study_id": ",".join(study_ids), "limit": "500"} | ({"purpose": purpose} if purpose else {})
        page = JobPage.model_validate_json(self._call("GET", "/v1/jobs", params=params).content)
        return sorted(page.items, key=lambda job: job.id, reverse=True)  # UUIDv7: the id tells the time

    def job(self, job_id: str) -> Job:
        return Job.model_validate_json(self._call("GET", f"/v1/jobs/{job_id}").content)

    def run(self, study_ids: Sequence[str], models: Sequence[str], fast: bool = False) -> list[Job]:
        body = {"study_ids": list(study_ids), "models": list(models)} | ({"fast": True} if fast else {})
        answer = self._call("POST", "/v1/jobs", json=body).json()
        return [Job.model_validate(job) for job in answer["jobs"]]

    def outline(self, study_id: str, model: str, prompts: Sequence[Prompt]) -> Job:
        """Run a prompted model on the boxes that a person drew on a study."""
        body = {"model": model, "prompts": [prompt.model_dump() for prompt in prompts]}
        return Job.model_validate_json(self._call("POST", f"/v1/studies/{study_id}/jobs", json=body).content)

    def correct(self, job_id: str, from_job: str) -> Job:
        """Keep what the boxes of `from_job` brought as this job's corrected mask."""
        answer = self._call("PUT", f"/v1/jobs/{job_id}/correction", json={"from_job": from_job})
        return Job.model_validate_json(answer.content)

    def uncorrect(self, job_id: str) -> Job:
        return Job.model_validate_json(self._call("DELETE", f"/v1/jobs/{job_id}/correction").content)

    def compare(self, study_ids: Sequence[str], versions: Sequence[tuple[str, str]]) -> list[Job]:
        """Run (model, version) pairs on studies to be seen side by side; the studies' own answers stay."""
        wanted = [{"model": model, "version": version} for model, version in versions]
        body = {"study_ids": list(study_ids), "models": wanted, "purpose": "compare"}
        answer = self._call("POST", "/v1/jobs", json=body).json()
        return [Job.model_validate(job) for job in answer["jobs"]]

    def cancel(self, job_id: str) -> Job:
        return Job.model_validate_json(self._call("POST", f"/v1/jobs/{job_id}/cancel").content)

    def retry(self, job_id: str) -> Job:
        return Job.model_validate_json(self._call("POST", f"/v1/jobs/{job_id}/retry").content)

    def review(self, job_id: str, review: Review) -> None:
        self._call("PUT", f"/v1/jobs/{job_id}/review", json=review.model_dump(include={"verdict", "comment", "labels"}))

    def upload(self, body: Any, headers: Mapping[str, str]) -> Uploaded:
        """Send a multipart body on as it comes. `headers` hold its Content-Type."""
        answer = self._call("POST", "/v1/studies", data=body, headers=headers, timeout_s=_UPLOAD_TIMEOUT_S)
        return Uploaded.model_validate_json(answer.content)

    def upload_file(self, filename: str, content: bytes, media_type: str) -> Uploaded:
        files = {"file": (filename, content, media_type)}
        return Uploaded.model_validate_json(self._call("POST", "/v1/studies", files=files).content)

    def models(self, study_id: str | None = None) -> list[Model]:
        """Every model; with `study_id` those that may read this study."""
        params = {"study_id": study_id} if study_id else {}
        return ModelList.model_validate_json(self._call("GET", "/v1/models", params=params).content).items

    def model(self, name: str) -> Model:
        return Model.model_validate_json(self._call("GET", f"/v1/models/{quote(name, safe='')}").content)

    def change_version(self, name: str, version: str, state: str, instead_of: str) -> None:
        """Raises Conflict when another version than `instead_of` is active now."""
        path = "/".join(quote(part, safe="") for part in (name, "versions", version))
        body = {"state": state, "instead_of": instead_of}
        self._call("PATCH", f"/v1/models/{path}", json=body, timeout_s=_LOAD_TIMEOUT_S)

    def image(self, study_id: str, **params: str) -> requests.Response:
        return self._call("GET", f"/v1/studies/{study_id}/image", params=params, stream=True)

    def volume(self, study_id: str) -> requests.Response:
        return self._call("GET", f"/v1/studies/{study_id}/volume", stream=True)

    def original(self, study_id: str) -> requests.Response:
        return self._call("GET", f"/v1/studies/{study_id}/original", stream=True)

    def artifact(self, job_id: str, name: str) -> requests.Response:
        return self._call("GET", f"/v1/jobs/{job_id}/artifacts/{quote(name)}", stream=True)

    def archive(self, job_id: str, **asked: str) -> requests.Response:
        return self._call("GET", f"/v1/jobs/{job_id}/archive", params=asked, stream=True)

    def archive_of(self, job_ids: Sequence[str], **asked: str) -> requests.Response:
        return self._call("POST", "/v1/archive", params=asked, json={"job_ids": list(job_ids)}, stream=True)

    def plot(self, model: str, version: str, plot: str) -> requests.Response:
        path = "/".join(quote(part, safe="") for part in (model, "versions", version, "plots", plot))
        return self._call("GET", f"/v1/models/{path}", stream=True)

    def network(self, model: str, version: str) -> dict[str, Any]:
        """A version's network as a table; its keys are in App's OpenAPI document."""
        path = "/".join(quote(part, safe="") for part in (model, "versions", version, "network"))
        table: dict[str, Any] = self._call("GET", f"/v1/models/{path}").json()
        return table

    def site_calibration(self, model: str, version: str) -> dict[str, Any]:
        """Reviewed cases, fits with their evidence, and what is in force; the keys are in App's OpenAPI document."""
        return self._site("GET", model, version)

    def fit_site(self, model: str, version: str) -> dict[str, Any]:
        """Raises Unprocessable when there are too few reviewed cases."""
        return self._site("POST", model, version)

    def choose_calibration(self, model: str, version: str, fit_id: str | None) -> dict[str, Any]:
        """Put a fit in force; with None the shipped values."""
        return self._site("PUT", model, version, json={"in_force": fit_id})

    def _site(self, method: str, model: str, version: str, **options: Any) -> dict[str, Any]:
        path = "/".join(quote(part, safe="") for part in (model, "versions", version, "site-calibration"))
        state: dict[str, Any] = self._call(method, f"/v1/models/{path}", **options).json()
        return state

    def events(self, last_event_id: str | None) -> Iterator[str]:
        """The lines of the doctor's event stream, each as it arrives; ends when App ends it."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        answer = self._call("GET", "/v1/events", headers=headers, stream=True, timeout_s=_EVENTS_TIMEOUT_S)
        return _lines(answer)

    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response:
        return self._client.request(method, path, headers=self._headers | dict(headers or {}), **options)


def _lines(answer: requests.Response) -> Iterator[str]:
    try:
        # As bytes: str.splitlines would also split at U+2028, which JSON may hold.
        yield from (line.decode("utf-8") for line in answer.iter_lines())
    except requests.RequestException:
        return  # App went away or fell silent: the browser reconnects by itself
    finally:
        answer.close()
