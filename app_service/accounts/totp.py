"""Codes of six digits that change every 30 s (RFC 6238, SHA-1: what every authenticator app knows), and recovery codes.

Secrets are kept encrypted (Fernet: AES-128-CBC with HMAC-SHA-256), so that a copy of the database opens no account.
Nothing here is shown twice.
"""

import base64
import hashlib
import hmac
import io
import secrets

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD_S = 30
RECOVERY_CODES = 10
_ISSUER = "Lightbox"


class Unreadable(Exception):
    """A secret was kept under another key than this portal's."""


def new_secret() -> bytes:
    """20 random bytes, as RFC 4226 recommends."""
    return secrets.token_bytes(20)


def kept(secret: bytes, key: str) -> str:
    """The secret as it is stored."""
    return _cipher(key).encrypt(secret).decode()


def taken(stored: str, key: str) -> bytes:
    """The secret from what is stored. Raises Unreadable."""
    try:
        return _cipher(key).decrypt(stored)
    except InvalidToken:
        raise Unreadable from None


def step_of(secret: bytes, code: str, now_s: float) -> int | None:
    """The time step whose code this is: the present one, or one before or after it, for clocks that differ."""
    totp, found = _totp(secret), None
    for step in range(int(now_s // PERIOD_S) - 1, int(now_s // PERIOD_S) + 2):
        if hmac.compare_digest(totp.generate(step * PERIOD_S), code.encode()):
            found = step
    return found


def address(secret: bytes, username: str) -> str:
    """What an authenticator app reads from the QR code: otpauth://totp/…"""
    return _totp(secret).get_provisioning_uri(username, _ISSUER)


def typed(secret: bytes) -> str:
    """The secret for those who cannot read a QR code, in groups of four letters."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def qr_svg(text: str) -> bytes:
    """A QR code as an SVG file, dark on white in any theme."""
    import segno  # only here: whoever signs in does not wait for it

    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, light="#fff", svgclass=None, lineclass=None)
    return out.getvalue()


def new_recovery_codes() -> list[str]:
    """Ten codes of 60 random bits: abcd-efgh-ijkl."""
    letters = [base64.b32encode(secrets.token_bytes(8)).decode().lower()[:12] for _ in range(RECOVERY_CODES)]
    return ["-".join(code[at : at + 4] for at in (0, 4, 8)) for code in letters]


def recovery_hash(code: str) -> str:
    """What is kept of a recovery code; a plain hash does for 60 random bits."""
    return hashlib.sha256("".join(code.lower().split()).replace("-", "").encode()).hexdigest()


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), PERIOD_S)  # noqa: S303 (HMAC-SHA-1, as the standard has it)  # nosec B303


def _cipher(key: str) -> Fernet:
    derived = hashlib.sha256(b"lightbox second factors" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(derived))
