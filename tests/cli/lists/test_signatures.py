"""Lists of signature algorithms, against the ClientHello that openssl makes of them."""

from __future__ import annotations

import pytest

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.signatures import parse_signatures
from handglass.registry.code_points import SignatureScheme
from support.hellos import SIGNATURE_ALGORITHMS, client_hello, numbers
from support.peers import needs

S = SignatureScheme
# What OpenSSL 3.0 can be told to offer: no MD5.
KNOWN = tuple(scheme for scheme in SignatureScheme if "MD5" not in scheme.name)


@needs("openssl")
@pytest.mark.parametrize(
    "text",
    [
        "RSA+SHA256",
        "RSA+sha256",
        "RSA-PSS+SHA512",
        "PSS+SHA256",
        "rsa_pss_pss_sha256",
        "rsa_pss_rsae_sha384",
        "rsa_pkcs1_sha256",
        "ed25519",
        "ed448:ECDSA+SHA512",
        "DSA+SHA256",
        "RSA+SHA224",
        "ECDSA+SHA256: RSA+SHA256",
        " RSA+SHA256",
        "ecdsa_secp521r1_sha512:RSA+SHA384",
        "RSA+SHA256:RSA+SHA256",
        "ecdsa_secp256r1_sha256:ECDSA+SHA256",
        "RSA+MD5",
        "RSA",
        "SHA256",
        "RSA+",
        "RSA+SHA3-256",
        "RSA+SHA256:BOGUS",
        "RSA+SHA256:",
        "",
    ],
)
def test_as_openssl(text: str) -> None:
    hello = client_hello("-sigalgs", text)
    try:
        schemes = parse_signatures(text, KNOWN)
    except ListError:
        assert hello is None
        return
    assert hello is not None
    assert numbers(hello[SIGNATURE_ALGORITHMS]) == list(schemes)


def test_names_that_may_be_missing() -> None:
    assert parse_signatures("?BOGUS:?ed25519:?RSA+SHA256", [S.RSA_PKCS1_SHA256]) == (S.RSA_PKCS1_SHA256,)
    with pytest.raises(ListError, match="no signature algorithm is left"):
        parse_signatures("?BOGUS", KNOWN)


def test_what_is_known_but_not_available() -> None:
    with pytest.raises(ListError, match="ed448 is not available"):
        parse_signatures("ed448", [S.ED25519])
