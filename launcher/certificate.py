"""A certificate for this portal's names, signed by a certificate authority of its own.

Browsers and curl trust it once they are given `ca.pem`. The authority's key is thrown away after the one signature:
a stolen data folder cannot vouch for other sites.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

from launcher.secrets import write_closed

VALID_FOR = timedelta(days=397)  # the longest that browsers take (CA/Browser Forum, ballot SC31)
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Certificate:
    """Paths of PEM files: the server's chain and key, and the authority that clients are to trust."""

    chain: Path
    key: Path
    authority: Path


def for_names(names: tuple[str, ...], folder: Path) -> Certificate:
    """The certificate kept in `folder`; a new one when it is missing, near its end, or for other names."""
    certificate = Certificate(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    if not _is_good(certificate, names):
        _issue(certificate, names)
    return certificate


def _is_good(certificate: Certificate, names: tuple[str, ...]) -> bool:
    if not all(path.exists() for path in (certificate.chain, certificate.key, certificate.authority)):
        return False
    leaf = x509.load_pem_x509_certificate(certificate.chain.read_bytes())
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    certified = {str(each.value) for each in alternatives}
    return set(names) <= certified and leaf.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC)


def _issue(certificate: Certificate, names: tuple[str, ...]) -> None:
    authority = trustme.CA(organization_name="Lightbox", organization_unit_name="Authority of one installation")
    leaf = authority.issue_cert(*names, organization_name="Lightbox", not_after=datetime.now(UTC) + VALID_FOR)
    write_closed(certificate.key, leaf.private_key_pem.bytes().decode())
    certificate.chain.write_text("".join(pem.bytes().decode() for pem in leaf.cert_chain_pems))
    certificate.authority.write_text(authority.cert_pem.bytes().decode())
