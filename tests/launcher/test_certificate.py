"""The certificate: for the portal's names, kept while it is good, renewed before it ends."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from launcher import certificate

NAMES = ("localhost", "127.0.0.1", "films.example")


def test_it_is_for_these_names_and_its_authority_vouches_for_it(tmp_path: Path) -> None:
    made = certificate.for_names(NAMES, tmp_path)
    ssl.create_default_context(cafile=str(made.authority))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.chain, made.key)
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    leaf = x509.load_pem_x509_certificate(made.chain.read_bytes())
    leaf.verify_directly_issued_by(authority)
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(each.value) for each in alternatives} == set(NAMES)


def test_only_its_key_is_kept_and_it_is_closed(tmp_path: Path) -> None:
    made = certificate.for_names(NAMES, tmp_path)
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir() if "PRIVATE" in file.read_text()] == [made.key.name]


def test_a_good_one_is_kept(tmp_path: Path) -> None:
    first = certificate.for_names(NAMES, tmp_path).chain.read_bytes()
    assert certificate.for_names(NAMES[:2], tmp_path).chain.read_bytes() == first


def test_a_new_name_needs_a_new_one(tmp_path: Path) -> None:
    first = certificate.for_names(NAMES[:1], tmp_path).chain.read_bytes()
    assert certificate.for_names(NAMES, tmp_path).chain.read_bytes() != first


def test_one_near_its_end_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificate, "VALID_FOR", certificate.RENEW_BEFORE - timedelta(days=1))
        first = certificate.for_names(NAMES, tmp_path).chain.read_bytes()
    assert certificate.for_names(NAMES, tmp_path).chain.read_bytes() != first
