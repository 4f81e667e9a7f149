"""X.509 certificates, read leniently (RFC 5280 §4.1).

`Certificate(der)` never raises. What is malformed stands in `problems`, and everything that could be read
is there: a diagnosis has to show the certificate that a broken peer sent. The fixed fields are cut out at
once (that is cheap); names, key, extensions and what follows from them are worked out when first asked for.
"""

from __future__ import annotations

import hashlib
from functools import cached_property

from handglass.crypto import der
from handglass.records import dataclass

from . import keys, names
from .algorithms import AlgorithmIdentifier
from .extensions import Extension, ExtensionFacts, read_extensions
from .times import Time

__all__ = ["Auxiliary", "Certificate"]

MAX_CERTIFICATE = 1 << 20  # bytes
_NO_ALGORITHM = AlgorithmIdentifier("0.0", None)
_NO_TIME = Time(0, b"", None)


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """What OpenSSL's "TRUSTED CERTIFICATE" adds (X509_CERT_AUX).

    Purposes for which it is trusted, or rejected.

    Both are sets of dotted key purposes; `trust` is None where nothing is said.
    """

    trust: frozenset[str] | None = None
    reject: frozenset[str] = frozenset()


class Certificate:
    """One certificate.

    Attributes: `der` bytes as they came; `readable` whether the outer structure could be read at all;
    `version` 1 to 3 (or what stands there); `serial` (may be negative); `signature_algorithm` outside and
    `inner_algorithm` inside the signed part; `tbs` the signed bytes; `signature`; `not_before`,
    `not_after`; `spki` DER of the public key; `problems` sentences about what is malformed, without
    anything that validation would find.
    """

    def __init__(self, data: bytes, auxiliary: Auxiliary | None = None) -> None:
        self.der = bytes(data)
        self.auxiliary = auxiliary
        self.readable = False
        self.version = 1
        self.serial_content = b""
        self.signature_algorithm = self.inner_algorithm = _NO_ALGORITHM
        self.tbs = self.signature = self.spki = b""
        self.not_before = self.not_after = _NO_TIME
        self._issuer: der.Element | None = None
        self._subject: der.Element | None = None
        self._extensions: der.Element | None = None
        self._notes: list[str] = []
        try:
            self._read()
            self.readable = True
        except der.DerError as problem:
            self._notes.append(f"certificate: {problem}")

    # --- what it says -----------------------------------------------------------------------------

    @property
    def serial(self) -> int:
        """The serial number.

        Negative ones and those over 20 bytes are forbidden (RFC 5280 §4.1.2.2) but read.
        """
        return der.integer(self.serial_content)

    @cached_property
    def issuer(self) -> names.Name:
        """The issuer's name."""
        return names.Name.read(self._issuer) if self._issuer else names.EMPTY

    @cached_property
    def subject(self) -> names.Name:
        """The subject's name."""
        return names.Name.read(self._subject) if self._subject else names.EMPTY

    @cached_property
    def public_key(self) -> keys.PublicKey:
        """The subject's public key."""
        return keys.PublicKey.read(self.spki)

    @cached_property
    def extensions(self) -> tuple[Extension, ...]:
        """All extensions in their order, unknown ones too."""
        return self._extension_list[0]

    def extension(self, oid: str) -> Extension | None:
        """Give the first extension of that identifier."""
        return next((extension for extension in self.extensions if extension.oid == oid), None)

    @cached_property
    def facts(self) -> ExtensionFacts:
        """What the extensions say, worked out for judging."""
        return ExtensionFacts(self)

    @cached_property
    def well_formed(self) -> bool:
        """Whether names, serial number and outer structure are such that other programs read the certificate at all."""
        if not self.readable or self.issuer.problems or self.subject.problems:
            return False
        return der.is_minimal(self.serial_content) and der.parse(self.der).end == len(self.der)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Say what is malformed, one sentence each; empty for a well-formed certificate."""
        found = [*self._notes, *self._extension_list[1]]
        found += [f"issuer: {problem}" for problem in self.issuer.problems]
        found += [f"subject: {problem}" for problem in self.subject.problems]
        if not self.readable:
            return tuple(found)
        if not len(self.issuer):
            found.append("the issuer has no name")
        if self.version not in {1, 2, 3}:
            found.append(f"version {self.version} does not exist")
        if not der.is_minimal(self.serial_content):
            found.append(f"the serial number is no integer: {self.serial_content.hex() or 'it has no bytes'}")
        elif self.serial < 0:
            found.append("the serial number is negative")
        elif self.serial == 0:
            found.append("the serial number is zero")
        if len(self.serial_content) > 20:
            found.append(f"the serial number is {len(self.serial_content)} bytes long, 20 are allowed")
        if self.not_before.seconds is None:
            found.append(f"notBefore is no time of a certificate: {self.not_before.raw!r}")
        if self.not_after.seconds is None:
            found.append(f"notAfter is no time of a certificate: {self.not_after.raw!r}")
        if self.signature_algorithm != self.inner_algorithm:
            found.append("the signature algorithm is named differently inside and outside the signed part")
        if self.signature_algorithm.signature is None:
            found.append(f"the signature algorithm {self.signature_algorithm.oid} is unknown")
        if not self.public_key.usable:
            found.append(f"no public key can be made of the {self.public_key.name or 'unreadable'} key")
        return (*found, *self.facts.problems)

    # --- how it is printed ------------------------------------------------------------------------

    @property
    def key_text(self) -> str:
        """The line that s_client prints after "a:": "PKEY: rsaEncryption, 2048 (bit); sigalg: RSA-SHA256"."""
        return f"PKEY: {self.public_key.text}; sigalg: {self.signature_algorithm.name}"

    @property
    def validity_text(self) -> str:
        """The line that s_client prints after "v:"."""
        return f"NotBefore: {self.not_before.text}; NotAfter: {self.not_after.text}"

    @cached_property
    def sha256(self) -> bytes:
        """The fingerprint."""
        return hashlib.sha256(self.der).digest()

    # --- comparing --------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject.format()}>"

    # --- reading ----------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read as much as can be shown, in the order of its worth. Raises DerError where it cannot go on."""
        if len(self.der) > MAX_CERTIFICATE:
            raise der.DerError(f"{len(self.der)} bytes, more than {MAX_CERTIFICATE} are not read")
        outer = der.parse(self.der, self._notes).expect(der.SEQUENCE, "outermost structure")
        parts = outer.children(self._notes)
        if len(parts) < 3:
            raise der.DerError(f"{len(parts)} parts where three belong")
        self.tbs = parts[0].encoding
        self._read_signed(parts[0].expect(der.SEQUENCE, "signed part").children(self._notes))
        self.signature_algorithm = AlgorithmIdentifier.read(parts[1])
        self.signature = der.bit_string(parts[2])
        if parts[2].content[0]:
            self._notes.append("the signature is no whole number of bytes")
        if len(parts) > 3:
            raise der.DerError(f"{len(parts)} parts where three belong")

    def _read_signed(self, fields: list[der.Element]) -> None:
        if fields and fields[0].tag == 0xA0:
            self.version = der.integer(_only(fields.pop(0)).expect(der.INTEGER, "version").content) + 1
        if len(fields) < 6:
            raise der.DerError(f"only {len(fields)} fields in the signed part")
        serial, algorithm, issuer, validity, subject, key = fields[:6]
        self._issuer = issuer.expect(der.SEQUENCE, "issuer")
        self._subject = subject.expect(der.SEQUENCE, "subject")
        self.spki = key.expect(der.SEQUENCE, "public key").encoding
        times = validity.expect(der.SEQUENCE, "validity").children(self._notes)
        if len(times) != 2:
            raise der.DerError("validity is not two times")
        self.not_before, self.not_after = map(Time.read, times)
        self.serial_content = serial.expect(der.INTEGER, "serial number").content
        self.inner_algorithm = AlgorithmIdentifier.read(algorithm)
        for field in fields[6:]:
            if field.tag == 0xA3:
                self._extensions = _only(field).expect(der.SEQUENCE, "extensions")
            elif field.tag not in {0x81, 0x82, 0xA1, 0xA2}:
                raise der.DerError(f"a field with tag 0x{field.tag:02x} in the signed part")

    @cached_property
    def _extension_list(self) -> tuple[tuple[Extension, ...], tuple[str, ...]]:
        return read_extensions(self._extensions) if self._extensions else ((), ())


def _only(element: der.Element) -> der.Element:
    inner = element.children()
    if len(inner) != 1:
        raise der.DerError(f"{len(inner)} values where one belongs, at offset {element.start}")
    return inner[0]
