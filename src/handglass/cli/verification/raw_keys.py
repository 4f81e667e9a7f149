"""Raw public keys (RFC 7250) on the command line of both programs."""

from __future__ import annotations

from typing import Any

from handglass.cli.options.raw_keys import RawKeys
from handglass.cli.own_certificates.identity import LoadError
from handglass.crypto.containers import ContainerError, load_public_keys
from handglass.net.files import FileError, path_of, read_file
from handglass.registry.code_points import CertificateType
from handglass.verify.dane import TlsaRecord, key_record

RAW_FIRST = (CertificateType.RAW_PUBLIC_KEY, CertificateType.X509)


def certificate_types(options: RawKeys) -> dict[str, Any]:
    """Return keyword arguments for a `Config`: as with OpenSSL a raw public key goes before a certificate."""
    return {
        "server_certificate_types": RAW_FIRST if options.enable_server_rpk else (),
        "client_certificate_types": RAW_FIRST if options.enable_client_rpk else (),
    }


def expected_keys(options: RawKeys) -> list[TlsaRecord]:
    """Return the keys of -expected-rpks as the TLSA records "3 1 0" that they amount to. Raises `LoadError`."""
    return [key_record(key) for path in options.expected_rpks for key in _load(path)]


def _load(path: str) -> list[bytes]:
    try:
        return load_public_keys(read_file(path_of(path)))
    except (FileError, ContainerError) as problem:
        raise LoadError(f"Could not load the expected public keys from {path}: {problem}") from None
