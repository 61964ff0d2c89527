"""The tables. SQL is the truth about studies, jobs, results and people; a migration follows every change here."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

from app_service.storage.clock import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_json = JSON(none_as_null=True)
_id = String(36)

users = Table(
    "users",
    metadata,
    Column("id", _id, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),  # empty: nobody signs in with it
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("temporary_password", Boolean, nullable=False, server_default=false()),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("external_id", String(64), unique=True, index=True),  # of who signs in by the hospital's directory
    Column("given_hash", Text),  # of the password that the settings gave last (accounts/create.py)
)

# Codes of an authenticator app (accounts/totp.py). `last_step` is the time step of the last code that was used.
second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", _id, ForeignKey("users.id"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("last_step", BigInteger, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", _id, ForeignKey("users.id"), primary_key=True),
    Column("hash", String(64), primary_key=True),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", _id, primary_key=True),
    Column("user_id", _id, ForeignKey("users.id"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", _json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
)

studies = Table(
    "studies",
    metadata,
    Column("id", _id, primary_key=True),
    Column("owner_id", _id, ForeignKey("users.id"), nullable=False),
    Column("uploaded_by", String(64), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("filename", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("shape", _json, nullable=False),
    Column("spacing_mm", _json),
    Column("media_type", String(64), nullable=False),
    Column("patient_reference", Text),
    Column("warnings", _json, nullable=False),
    Index(None, "owner_id", "id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", _id, primary_key=True),
    Column("study_id", _id, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("owner_id", _id, ForeignKey("users.id"), nullable=False),
    Column("model", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    # Only an "answer" stands for its study in lists; a run to "compare" models is seen where they are compared.
    Column("purpose", String(16), nullable=False, server_default="answer"),
    Column("prompts", _json),  # boxes that a person drew; a retry runs with the same
    Column("fast", Boolean, nullable=False, server_default=false()),  # as is the model's setting
    Column("state", String(16), nullable=False),
    # The attempt is the fence: it grows with each claim, and only its holder may commit.
    Column("attempt", Integer, nullable=False, default=0),
    Column("attempt_limit", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("leased_until", Float(53)),
    Column("model_away_since", UtcDateTime),
    Column("error", _json),
    Column("result", _json),
    Index(None, "owner_id", "id"),
    Index(None, "owner_id", "state"),  # each upload counts the open ones, under the write lock
    Index(None, "state", "queued_at"),
    # No bug can show a result of a job that did not succeed.
    CheckConstraint("(state = 'succeeded') = (result IS NOT NULL)", name="result_only_of_succeeded"),
    CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="error_only_of_failed"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("job_id", _id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("media_type", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary),  # of a small picture (small_artifacts.py); others lie in the object store
)

# DICOM results on their way into AWS HealthImaging (health_imaging/), and what it told of them.
image_imports = Table(
    "image_imports",
    metadata,
    Column("job_id", _id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("import_id", String(64)),  # None until it is started
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, index=True),
    Column("notices", _json, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("job_id", _id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("comment", Text),
    Column("labels", _json),
    Column("reviewed_by", String(64), nullable=False),
    Column("reviewed_at", UtcDateTime, nullable=False),
)

# A link by which a study's doctor lets a colleague look, or with no name any doctor. Revoked: gone, with its guests.
shares = Table(
    "shares",
    metadata,
    Column("id", _id, primary_key=True),
    Column("study_id", _id, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("colleague_id", _id, ForeignKey("users.id")),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

# Who may look at another's study, and until when: by a share, or in an emergency for a reason in the person's words.
guests = Table(
    "guests",
    metadata,
    Column("id", _id, primary_key=True),
    Column("study_id", _id, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", _id, ForeignKey("users.id"), nullable=False),
    Column("share_id", _id, ForeignKey("shares.id", ondelete="CASCADE")),
    Column("reason", Text),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("end_noted", Boolean, nullable=False, server_default=false()),  # in the audit, of an emergency
    CheckConstraint("(share_id IS NULL) = (reason IS NOT NULL)", name="shared_or_with_a_reason"),
    Index(None, "study_id", "user_id"),
    Index(None, "user_id", "ends_at"),
)

# Which version of a model answers, which one reads along, which may not be used: no change but by an admin.
version_roles = Table(
    "version_roles",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("active", String(32), nullable=False),
    Column("shadow", String(32)),
    Column("retired", _json, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# What a shadow said about a job's study. No answer and no page of a study reads this table.
shadow_results = Table(
    "shadow_results",
    metadata,
    Column("job_id", _id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("version", String(32), primary_key=True),
    Column("model", String(64), nullable=False),
    Column("active_version", String(32), nullable=False),
    Column("result", _json, nullable=False),
    Column("same_label", Boolean, nullable=False),
    Column("difference", Float(53)),
    Column("made_at", UtcDateTime, nullable=False),
    Index(None, "model", "version"),
)

# The mask that a person made of a job's own and that of another; both stay as they are (masks/corrected.py).
corrections = Table(
    "corrections",
    metadata,
    Column("job_id", _id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("from_job", _id, nullable=False),
    Column("measurements", _json, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("corrected_by", String(64), nullable=False),
    Column("corrected_at", UtcDateTime, nullable=False),
)

# Every fit of a version to this site, with its evidence. The shipped values stay in the model's folder.
site_calibrations = Table(
    "site_calibrations",
    metadata,
    Column("id", _id, primary_key=True),
    Column("model", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("parameters", _json, nullable=False),
    Column("evidence", _json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_by", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "model", "version"),
)
_in_force = site_calibrations.c.active
_of_version = (site_calibrations.c.model, site_calibrations.c.version)
# At most one of a version is in force, whoever comes second.
Index("uq_site_calibrations_in_force", *_of_version, unique=True, sqlite_where=_in_force, postgresql_where=_in_force)

# Only ever added to, in one chain (audit_trail.py); triggers refuse the rest. No foreign keys: what happened stays
# written when the object is gone.
audit = Table(
    "audit",
    metadata,
    Column("id", _id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", _id),
    Column("action", String(32), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("object_id", String(128), index=True),  # an id, or a version as model/version
    Column("request_id", String(64)),
    Column("address", String(45)),
    Column("session_id", _id),  # or the API token's
    Column("role", String(16)),  # that the actor had then
    Column("details", _json),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# Files that their owners send straight to the bucket. Whoever completes one makes a study of it (uploads/direct.py).
direct_uploads = Table(
    "direct_uploads",
    metadata,
    Column("id", _id, primary_key=True),
    Column("owner_id", _id, ForeignKey("users.id"), nullable=False, index=True),
    Column("filename", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("models", _json, nullable=False),
    Column("patient_reference", Text),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    Column("judged", Boolean, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("user_id", _id, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", _json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
