"""Every route of the API: who may reach it, and what whoever may is answered. A route in no row fails the matrix."""

from typing import Any, NamedTuple

from tests.app_service.conftest import PASSWORD

ANYONE = "anyone inside"  # without even a service's token
SERVICE = "any service of ours"
SIGNED_IN = "anyone signed in"  # API tokens too
ONESELF = "anyone signed in, by a session"
DOCTORS = "any doctor"  # each sees what is the doctor's own
OWNER = "its doctor"  # for anybody else it does not exist
IN_PERSON = "its doctor, by a session"
DOCTOR_IN_PERSON = "any doctor, by a session"
ANOTHER = "any doctor but its own, by a session"
ADMIN, OPERATIONS = "an administrator", "whoever keeps the portal running"
_VERSION = "/v1/models/<name>/versions/<version>"


class Row(NamedTuple):
    """`status` is the answer to who may; `body` is sent as JSON, with ids for {names} as in the address."""

    who: str
    status: int
    body: dict[str, Any] | None = None


ACCESS = {
    "GET /healthz": Row(ANYONE, 200),
    "GET /readyz": Row(ANYONE, 200),
    "GET /metrics": Row(ANYONE, 200),
    "GET /static/<path:filename>": Row(SERVICE, 404),
    "GET /v1/openapi.json": Row(SERVICE, 200),
    "GET /v1/docs": Row(SERVICE, 200),
    "POST /v1/sessions": Row(SERVICE, 201, {"username": "doctor", "password": PASSWORD}),
    "POST /v1/directory": Row(SERVICE, 404, {"redirect_uri": "https://portal.test/back"}),
    "POST /v1/directory/sessions": Row(SERVICE, 404, {"state": "x", "code": "x"}),
    "DELETE /v1/sessions/current": Row(ONESELF, 204),
    "GET /v1/me": Row(SIGNED_IN, 200),
    "PUT /v1/me/password": Row(ONESELF, 422, {"current": PASSWORD, "new": "short"}),
    "GET /v1/me/tokens": Row(ONESELF, 200),
    "POST /v1/me/tokens": Row(ONESELF, 422, {"name": "more", "scopes": ["studies:read", "status:read"]}),
    "DELETE /v1/me/tokens/<uuid:token_id>": Row(ONESELF, 404),
    "GET /v1/me/sessions": Row(ONESELF, 200),
    "DELETE /v1/me/sessions/<uuid:session_id>": Row(ONESELF, 404),
    "GET /v1/me/second-factor": Row(ONESELF, 200),
    "POST /v1/me/second-factor": Row(ONESELF, 403, {"password": "not the present one"}),
    "GET /v1/me/second-factor/qr.svg": Row(ONESELF, 404),
    "POST /v1/me/second-factor/confirm": Row(ONESELF, 409, {"otp": "123456"}),
    "POST /v1/me/second-factor/remove": Row(ONESELF, 403, {"password": PASSWORD, "otp": "123456"}),
    "GET /v1/users": Row(ADMIN, 200),
    "POST /v1/users": Row(ADMIN, 201, {"username": "new", "role": "doctor"}),
    "PATCH /v1/users/<uuid:user_id>": Row(ADMIN, 200, {"disabled": True}),
    "POST /v1/users/<uuid:user_id>/password": Row(ADMIN, 201),
    "DELETE /v1/users/<uuid:user_id>/second-factor": Row(ADMIN, 204),
    "GET /v1/users/<uuid:user_id>/tokens": Row(ADMIN, 200),
    "POST /v1/users/<uuid:user_id>/tokens": Row(ADMIN, 409, {"name": "spy", "scopes": ["studies:read"]}),
    "DELETE /v1/users/<uuid:user_id>/tokens/<uuid:token_id>": Row(ADMIN, 204),
    "GET /v1/users/<uuid:user_id>/sessions": Row(ADMIN, 200),
    "DELETE /v1/users/<uuid:user_id>/sessions/<uuid:session_id>": Row(ADMIN, 204),
    "GET /v1/audit": Row(ADMIN, 200),
    "GET /v1/status": Row(OPERATIONS, 200),
    "GET /v1/limits": Row(SIGNED_IN, 200),
    "GET /v1/models": Row(SIGNED_IN, 200),
    "GET /v1/models/<name>": Row(SIGNED_IN, 200),
    f"PATCH {_VERSION}": Row(ADMIN, 200, {"state": "active"}),
    f"GET {_VERSION}/plots/<plot>": Row(SIGNED_IN, 200),
    f"GET {_VERSION}/network": Row(SIGNED_IN, 200),
    f"GET {_VERSION}/site-calibration": Row(SIGNED_IN, 200),
    f"POST {_VERSION}/site-calibration": Row(ADMIN, 422),
    f"PUT {_VERSION}/site-calibration": Row(ADMIN, 200, {"in_force": None}),
    "GET /v1/events": Row(DOCTORS, 200),
    "POST /v1/studies": Row(DOCTORS, 400),
    "GET /v1/studies": Row(DOCTORS, 200),
    "POST /v1/uploads": Row(
        DOCTORS, 409, {"filename": "ct.nii.gz", "size_bytes": 100_000_000}
    ),  # no bucket in the tests
    "POST /v1/uploads/<uuid:upload_id>/complete": Row(DOCTORS, 404),  # another's: test_direct.py
    "DELETE /v1/uploads/<uuid:upload_id>": Row(DOCTORS, 404),
    "GET /v1/studies/<uuid:study_id>": Row(OWNER, 200),
    "DELETE /v1/studies/<uuid:study_id>": Row(OWNER, 204),
    "GET /v1/studies/<uuid:study_id>/shares": Row(IN_PERSON, 200),
    "POST /v1/studies/<uuid:study_id>/shares": Row(IN_PERSON, 201, {"colleague": "other"}),
    "DELETE /v1/studies/<uuid:study_id>/shares/<uuid:share_id>": Row(IN_PERSON, 204),
    "POST /v1/studies/<uuid:study_id>/emergency": Row(ANOTHER, 201, {"reason": "A patient in the resuscitation room."}),
    "POST /v1/emergency": Row(DOCTOR_IN_PERSON, 404, {"study": "nobody's", "reason": "A patient in the shock room."}),
    "GET /v1/shared": Row(DOCTORS, 200),
    "POST /v1/shared": Row(DOCTOR_IN_PERSON, 404, {"code": "nobody's"}),
    "GET /v1/studies/<uuid:study_id>/image": Row(OWNER, 200),
    "GET /v1/studies/<uuid:study_id>/openings": Row(OWNER, 200),
    "GET /v1/studies/<uuid:study_id>/original": Row(OWNER, 200),
    "GET /v1/studies/<uuid:study_id>/original/link": Row(OWNER, 409),
    "GET /v1/studies/<uuid:study_id>/volume": Row(OWNER, 200),
    "POST /v1/studies/<uuid:study_id>/jobs": Row(OWNER, 202, {"model": "pneumonia"}),
    "POST /v1/jobs": Row(OWNER, 202, {"study_ids": ["{study_id}"], "models": ["pneumonia"]}),
    "GET /v1/jobs": Row(DOCTORS, 200),
    "GET /v1/jobs/<uuid:job_id>": Row(OWNER, 200),
    "POST /v1/jobs/<uuid:job_id>/cancel": Row(OWNER, 409),
    "POST /v1/jobs/<uuid:job_id>/retry": Row(OWNER, 409),
    "PUT /v1/jobs/<uuid:job_id>/review": Row(OWNER, 200, {"verdict": "agree"}),
    "PUT /v1/jobs/<uuid:job_id>/correction": Row(OWNER, 422, {"from_job": "{job_id}"}),
    "DELETE /v1/jobs/<uuid:job_id>/correction": Row(OWNER, 404),
    "GET /v1/jobs/<uuid:job_id>/artifacts/<path:name>": Row(OWNER, 200),
    "GET /v1/jobs/<uuid:job_id>/archive": Row(OWNER, 200),
    "POST /v1/archive": Row(OWNER, 200, {"job_ids": ["{job_id}"]}),
}
