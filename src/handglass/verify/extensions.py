"""Extensions of certificates (RFC 5280 §4.2), read for judging.

`ExtensionFacts` holds what path validation asks a certificate: is it a CA, what may its key do, who issued
it. A malformed or repeated extension makes the certificate `invalid`, as OpenSSL has it: it is then
nobody's issuer.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from handglass.crypto import der
from handglass.records import dataclass

from .general_names import DistributionPoint, GeneralName, NameConstraints, read_general_names
from .resource_blocks import read_addresses, read_as_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from .certificate import Certificate

__all__ = ["AuthorityKeyIdentifier", "BasicConstraints", "Extension", "ExtensionFacts", "read_extensions"]

MAX_EXTENSIONS = 1024

KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE = "2.5.29.15", "2.5.29.19", "2.5.29.37"
SUBJECT_KEY_ID, AUTHORITY_KEY_ID = "2.5.29.14", "2.5.29.35"
SUBJECT_ALT_NAME, ISSUER_ALT_NAME, NAME_CONSTRAINTS = "2.5.29.17", "2.5.29.18", "2.5.29.30"
CRL_DISTRIBUTION_POINTS, FRESHEST_CRL = "2.5.29.31", "2.5.29.46"
CERTIFICATE_POLICIES, POLICY_MAPPINGS = "2.5.29.32", "2.5.29.33"
POLICY_CONSTRAINTS, INHIBIT_ANY_POLICY = "2.5.29.36", "2.5.29.54"
PROXY_CERT_INFO, NETSCAPE_CERT_TYPE = "1.3.6.1.5.5.7.1.14", "2.16.840.1.113730.1.1"
IP_ADDRESS_BLOCKS, AS_IDENTIFIERS = "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8"
OCSP_NO_CHECK, TLS_FEATURE = "1.3.6.1.5.5.7.48.1.5", "1.3.6.1.5.5.7.1.24"

# Critical extensions that path validation acts upon; any other one is an error (RFC 5280 §4.2).
HANDLED = frozenset(
    {
        NETSCAPE_CERT_TYPE,
        KEY_USAGE,
        SUBJECT_ALT_NAME,
        BASIC_CONSTRAINTS,
        CERTIFICATE_POLICIES,
        CRL_DISTRIBUTION_POINTS,
        EXTENDED_KEY_USAGE,
        IP_ADDRESS_BLOCKS,
        AS_IDENTIFIERS,
        OCSP_NO_CHECK,
        POLICY_CONSTRAINTS,
        PROXY_CERT_INFO,
        NAME_CONSTRAINTS,
        POLICY_MAPPINGS,
        INHIBIT_ANY_POLICY,
    }
)

# Bits of keyUsage (RFC 5280 §4.2.1.3), first bit first
DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, DATA_ENCIPHERMENT = 0x80, 0x40, 0x20, 0x10
KEY_AGREEMENT, KEY_CERT_SIGN, CRL_SIGN, ENCIPHER_ONLY, DECIPHER_ONLY = 0x08, 0x04, 0x02, 0x01, 0x8000


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: dotted identifier, critical or not, the bytes inside its octet string."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """RFC 5280 §4.2.1.9; `path_length` is None where absent."""

    ca: bool
    path_length: int | None


@dataclass(frozen=True, slots=True)
class AuthorityKeyIdentifier:
    """RFC 5280 §4.2.1.1."""

    key_id: bytes | None
    issuer: tuple[GeneralName, ...] | None
    serial: int | None


Parsed = TypeVar("Parsed")


def read_extensions(element: der.Element) -> tuple[tuple[Extension, ...], tuple[str, ...]]:
    """Read the list; what is malformed comes as sentences, and ends the list there."""
    found: list[Extension] = []
    problems: list[str] = []
    try:
        for item in element.children(problems):
            fields = item.expect(der.SEQUENCE, "extension").children(problems)
            if len(fields) not in {2, 3}:
                raise der.DerError(f"an extension of {len(fields)} fields at offset {item.start}")
            critical = len(fields) == 3 and der.boolean(fields[1])
            oid = der.decode_oid(fields[0].expect(der.OID, "extension").content)
            found.append(
                Extension(oid, critical, fields[-1].expect(der.OCTET_STRING, "extension value").content)
            )
            if len(found) > MAX_EXTENSIONS:
                raise der.DerError(f"more than {MAX_EXTENSIONS} extensions")
    except der.DerError as problem:
        problems.append(f"extensions: {problem}")
    return tuple(found), tuple(problems)


class ExtensionFacts:
    """What a certificate's extensions mean for a path; computed once per certificate.

    `invalid`: an extension is malformed or stands twice; `problems` says which.
    """

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._extensions = certificate.extensions
        self._problems: list[str] = []
        self.invalid = not certificate.well_formed or bool(certificate._extension_list[1])
        constraints = self._read(BASIC_CONSTRAINTS, _read_basic_constraints)
        self.basic_constraints = constraints
        self.ca = constraints is not None and constraints.ca
        self.path_length = constraints.path_length if constraints is not None else None
        if self.path_length is not None and self.path_length < 0:
            self._fault("a negative path length")
            self.path_length = None
        self.proxy = self._proxy()
        self.key_usage = self._read(KEY_USAGE, _read_key_usage)
        if self.key_usage == 0:
            self._fault("an empty key usage")
        self.extended_key_usage = self._read(EXTENDED_KEY_USAGE, read_oids)
        self.netscape_type = self._read(NETSCAPE_CERT_TYPE, _read_netscape_type)
        self.subject_key_id = self._read(SUBJECT_KEY_ID, _read_octets)
        self.authority_key_id = self._read(AUTHORITY_KEY_ID, read_authority_key_id)
        self.alternative_names = self._read(SUBJECT_ALT_NAME, read_general_names)
        self.name_constraints = self._read(NAME_CONSTRAINTS, NameConstraints.read)
        self.distribution_points = self._distribution_points()
        self.addresses = self._read(IP_ADDRESS_BLOCKS, read_addresses)
        self.as_numbers = self._read(AS_IDENTIFIERS, read_as_numbers)
        self.freshest_crl = self.has(FRESHEST_CRL)
        self.unhandled_critical = tuple(
            extension.oid
            for extension in self._extensions
            if extension.critical and extension.oid not in HANDLED
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """Say what makes the certificate invalid."""
        return tuple(self._problems)

    def has(self, oid: str) -> bool:
        """Whether there is an extension of that identifier."""
        return any(extension.oid == oid for extension in self._extensions)

    def is_critical(self, oid: str) -> bool:
        """Whether there is a critical extension of that identifier."""
        return any(extension.oid == oid and extension.critical for extension in self._extensions)

    @cached_property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name (RFC 5280 §3.2)."""
        return self._certificate.subject == self._certificate.issuer

    @cached_property
    def self_signed(self) -> bool:
        """Whether it looks signed with its own key; the signature is not checked."""
        return (
            self.self_issued
            and self.matches(self.authority_key_id)
            and fits_signature(self._certificate, self._certificate)
        )

    def matches(self, identifier: AuthorityKeyIdentifier | None) -> bool:
        """Whether an authority key identifier can mean this certificate (RFC 5280 §4.2.1.1)."""
        if identifier is None:
            return True
        own = self.subject_key_id
        if identifier.key_id is not None and own is not None and identifier.key_id != own:
            return False
        if identifier.serial is not None and identifier.serial != self._certificate.serial:
            return False
        if identifier.issuer is not None:
            directory = next((name.name for name in identifier.issuer if name.name is not None), None)
            return directory is None or directory == self._certificate.issuer
        return True

    def allows(self, *bits: int) -> bool:
        """Whether keyUsage is absent or has one of `bits`."""
        return self.key_usage is None or any(self.key_usage & bit for bit in bits)

    # --- reading ----------------------------------------------------------------------------------

    def _fault(self, problem: str) -> None:
        self.invalid = True
        self._problems.append(problem)

    def _read(self, oid: str, reader: Callable[[der.Element], Parsed]) -> Parsed | None:
        matching = [extension for extension in self._extensions if extension.oid == oid]
        if not matching:
            return None
        if len(matching) > 1:
            self._fault(f"the extension {oid} stands {len(matching)} times")
            return None
        try:
            return reader(der.parse(matching[0].value))
        except (der.DerError, ValueError, IndexError) as problem:
            self._fault(f"the extension {oid} is malformed: {problem}")
            return None

    def _proxy(self) -> bool:
        """Whether it is a proxy certificate (RFC 3820 §3.8); sets `proxy_path_length`."""
        self.proxy_path_length: int | None = None
        info = self._read(PROXY_CERT_INFO, _read_proxy)
        if info is None:
            return False
        if self.ca or self.has(SUBJECT_ALT_NAME) or self.has(ISSUER_ALT_NAME):
            self._fault("a proxy certificate that is a CA or has alternative names")
        self.proxy_path_length = info[0]
        return True

    def _distribution_points(self) -> tuple[DistributionPoint, ...]:
        points = self._read(CRL_DISTRIBUTION_POINTS, DistributionPoint.read_list) or ()
        for point in points:
            if point.names is None and point.relative is None and not point.issuer:
                self._fault("a CRL distribution point without a name")
        return tuple(point.resolved(self._certificate.issuer) for point in points)


def fits_signature(subject: Certificate, issuer: Certificate) -> bool:
    """Whether the issuer's key is of the kind that makes the subject's signature."""
    facts = subject.inner_algorithm.signature
    key = issuer.public_key
    if facts is None or not key.usable:
        return False
    return facts.key == key.kind or (key.kind == "rsa" and facts.key == "rsa_pss")


def _read_basic_constraints(element: der.Element) -> BasicConstraints:
    fields = element.expect(der.SEQUENCE, "basic constraints").children()
    ca = bool(fields and fields[0].tag == der.BOOLEAN and der.boolean(fields.pop(0)))
    if not fields:
        return BasicConstraints(ca, None)
    if len(fields) > 1:
        raise der.DerError("basic constraints with too many fields")
    length = der.strict_integer(fields[0])
    return BasicConstraints(ca, min(length, 1 << 30))


def _read_key_usage(element: der.Element) -> int:
    return int.from_bytes(der.bit_string(element)[:2], "little")


def _read_netscape_type(element: der.Element) -> int:
    return int.from_bytes(der.bit_string(element)[:1], "big")


def read_oids(element: der.Element) -> tuple[str, ...]:
    """Read a SEQUENCE OF OBJECT IDENTIFIER."""
    items = element.expect(der.SEQUENCE, "list of identifiers").children()
    return tuple(der.decode_oid(item.expect(der.OID, "identifier").content) for item in items)


def _read_octets(element: der.Element) -> bytes:
    return element.expect(der.OCTET_STRING, "key identifier").content


def read_authority_key_id(element: der.Element) -> AuthorityKeyIdentifier:
    """Read an authority key identifier (RFC 5280 §4.2.1.1). Raises DerError."""
    what = "authority key identifier"
    fields = der.optional_fields(element.expect(der.SEQUENCE, what).children(), (0x80, 0xA1, 0x82), what)
    return AuthorityKeyIdentifier(
        fields[0x80].content if 0x80 in fields else None,
        read_general_names(fields[0xA1], 0xA1) if 0xA1 in fields else None,
        der.strict_integer(fields[0x82], 0x82) if 0x82 in fields else None,
    )


def _read_proxy(element: der.Element) -> tuple[int | None]:
    fields = element.expect(der.SEQUENCE, "proxy certificate information").children()
    length = der.strict_integer(fields.pop(0)) if fields and fields[0].tag == der.INTEGER else None
    if len(fields) != 1:
        raise der.DerError("proxy certificate information without a policy")
    fields[0].expect(der.SEQUENCE, "proxy policy").children()[0].expect(der.OID, "policy language")
    return (length,)
