"""What the rows of the table in test_verify_return_code.py are made of: chains with faults, lists, a row itself.

Certificates have names here: a plain chain is "root", "middle", "leaf". A fault is a function that changes one of
them before it is signed (`verify.support.scenes`).
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from handglass.records import dataclass
from verify.support import build
from verify.support.build import DAY, Built, Key
from verify.support.scenes import Fault, layers, option

PAST, FUTURE = 1_577_836_800, 2_366_841_600  # 2020, 2045: what is valid is so for as long as these tests live
LONG_AGO, FAR_AHEAD = PAST + DAY, FUTURE - DAY
RECENT, SOON = int(time.time()) // DAY * DAY - DAY, int(time.time()) // DAY * DAY + 2 * DAY  # for lists

Chain = Mapping[str, Built]
Crls = Callable[[Chain], Sequence[bytes]]
Option = str | Callable[[Chain], str]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One server and one command line: a row.

    `code` is what both programs end with after "Verify return code"; where we differ on purpose, `ours` is our number
    and the documentation says why (docs/verify-differences.md, docs/differences.md). `sent`: what the server sends,
    leaf first; `trusted`: what -CAfile holds, with the `crls` behind it. `options` are for both programs,
    `our_options` for ours; one that depends on the chain is a function of it. `response`: what is stapled to the leaf.
    """

    title: str
    code: int
    ours: int | None = None
    chain: Callable[[], Chain]
    sent: Sequence[str] = ("leaf", "middle")
    trusted: Sequence[str] = ("root",)
    crls: Crls | None = None
    options: Sequence[Option] = ()
    our_options: Sequence[str] = ()
    response: Callable[[Chain], bytes] | None = None

    def words(self, chain: Chain) -> list[str]:
        """Give the options for both programs."""
        return [each if isinstance(each, str) else each(chain) for each in self.options]


def plain(keys: Mapping[str, Key] | None = None, **faults: Fault) -> Callable[[], dict[str, Built]]:
    """Give root, middle and leaf, with `faults` and other `keys` for any of them."""
    return _chain(("root", "middle", "leaf"), keys or {}, faults)


def longer(keys: Mapping[str, Key] | None = None, **faults: Fault) -> Callable[[], dict[str, Built]]:
    """Give root, upper, middle and leaf."""
    return _chain(("root", "upper", "middle", "leaf"), keys or {}, faults)


def _chain(
    names: Sequence[str], keys: Mapping[str, Key], faults: Mapping[str, Fault]
) -> Callable[[], dict[str, Built]]:
    def made() -> dict[str, Built]:
        found: dict[str, Built] = {}
        ordered = [keys.get(name) or build.ec_key(name) for name in names]
        for name, layer, above in zip(names, layers(len(names), ordered), ["", *names], strict=False):
            layer.subject = subject(name)
            layer.options |= {"start": PAST, "end": FUTURE}
            if name in faults:
                faults[name](layer)
            issuer = found.get(above)
            found[name] = build.certificate(
                layer.subject, layer.key, issuer, list(layer.extensions.values()), **layer.options
            )
        return found

    return made


GOOD = plain()
EXPIRED, NOT_YET = option(end=LONG_AGO), option(start=FAR_AHEAD)
SHA1 = option(outer=build.algorithm(build.SHA1_ECDSA))


def row(
    title: str,
    code: int,
    chain: Callable[[], Chain] = GOOD,
    *options: str | Callable[[Chain], str],
    **rest: Any,
) -> Setup:
    """Give a row: what it is, the outcome, what is served, the client's options, and what else is special."""
    return Setup(title=title, code=code, chain=chain, options=options, **rest)


def subject(name: str) -> bytes:
    """Give the subject of the certificate that has this name here."""
    return build.name("C=XX", "O=Lab", f"CN={name}")


def issued(
    chain: Chain, issuer: str, label: str, key: Key, extensions: Sequence[bytes], **options: Any
) -> Built:
    """Give one more certificate, of an issuer in the chain."""
    times = {"start": PAST, "end": FUTURE, **options}
    return build.certificate(subject(label), key, chain[issuer], extensions, **times)


def self_signed(label: str, extensions: Sequence[bytes], key: Key | None = None) -> Built:
    """Give a self-signed certificate."""
    return build.certificate(
        subject(label), key or build.ec_key(label), None, extensions, start=PAST, end=FUTURE
    )


def crl(issuer: Built, *revoked: Built, **options: Any) -> bytes:
    """Give an issuer's list, valid now unless told otherwise."""
    entries = [build.revoked(each.serial) for each in revoked]
    return build.crl(issuer, entries, **{"start": RECENT, "end": SOON, **options})


def listed(issuer: str, *revoked: str, **options: Any) -> Crls:
    """Give a maker of an issuer's list that names these certificates."""
    return lambda chain: [crl(chain[issuer], *(chain[each] for each in revoked), **options)]


def together(*makers: Crls) -> Crls:
    """Give a maker of several lists."""
    return lambda chain: [each for made in makers for each in made(chain)]


def responding(
    status: str, signer: str = "middle", about: str = "leaf", issuer: str = "middle"
) -> Callable[[Chain], bytes]:
    """Give a maker of an OCSP response about a certificate, valid now: "GOOD", "REVOKED" or "UNKNOWN"."""

    def made(chain: Chain) -> bytes:
        begins, ends = (datetime.datetime.fromtimestamp(each, datetime.UTC) for each in (RECENT, SOON))
        revoked = status == "REVOKED"
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=x509.load_der_x509_certificate(chain[about].der),
            issuer=x509.load_der_x509_certificate(chain[issuer].der),
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus[status],
            this_update=begins,
            next_update=ends,
            revocation_time=begins if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        certificate = x509.load_der_x509_certificate(chain[signer].der)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, certificate)
        key = chain[signer].key.private
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    return made
