"""Codes of authenticator apps."""

from app_service.accounts import totp


def test_codes_are_the_standards_own() -> None:
    """RFC 6238, appendix B: the last six of its eight digits."""
    secret = b"12345678901234567890"
    for moment, digits in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.step_of(secret, digits, moment) == moment // 30
    assert totp.step_of(secret, "287082", 59 + 30) == 1 and totp.step_of(secret, "287082", 59 + 61) is None
