"""Certificate revocation lists, read leniently (RFC 5280 §5).

`Crl(der)` never raises: a CRL that cannot be used is not `usable` and says why in `problems`. Revoked
entries are indexed by serial number once, when first asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from handglass.crypto import der
from handglass.records import dataclass

from . import names
from .algorithms import AlgorithmIdentifier
from .extensions import AUTHORITY_KEY_ID, FRESHEST_CRL, Extension, read_authority_key_id, read_extensions
from .general_names import ALL_REASONS, DistributionPoint, GeneralName, read_general_names, read_reasons
from .times import Time

__all__ = ["Crl", "IssuingDistributionPoint", "Revoked"]

MAX_CRL = 1 << 28  # bytes
CRL_NUMBER, REASON_CODE, DELTA_INDICATOR = "2.5.29.20", "2.5.29.21", "2.5.29.27"
ISSUING_DISTRIBUTION_POINT, CERTIFICATE_ISSUER = "2.5.29.28", "2.5.29.29"
REMOVE_FROM_CRL = 8
_NO_TIME = Time(0, b"", None)
_NO_ALGORITHM = AlgorithmIdentifier("0.0", None)


@dataclass(frozen=True, slots=True)
class IssuingDistributionPoint:
    """What a CRL covers (RFC 5280 §5.2.5); `reasons` None when it covers all."""

    point: DistributionPoint | None
    only_user: bool = False
    only_ca: bool = False
    only_attribute: bool = False
    indirect: bool = False
    reasons: int | None = None

    @property
    def consistent(self) -> bool:
        """Whether at most one kind of certificate is named."""
        return self.only_user + self.only_ca + self.only_attribute <= 1


@dataclass(frozen=True, slots=True)
class Revoked:
    """One entry (RFC 5280 §5.3).

    `reason` is a CRLReason or None; `issuer` names of an indirect CRL's entry.
    """

    serial: int
    reason: int | None
    issuer: tuple[GeneralName, ...] | None


Parsed = TypeVar("Parsed")


class Crl:
    """One CRL.

    Attributes: `der`, `tbs`, `signature_algorithm`, `inner_algorithm`, `signature`, `issuer`,
    `this_update`, `next_update` (None if absent), `extensions`, `authority_key_id`, `number`, `base_number`
    (a delta CRL has one), `point`, `problems`.
    """

    def __init__(self, data: bytes) -> None:
        self.der = bytes(data)
        self.problems: list[str] = []
        self.tbs = self.signature = b""
        self.signature_algorithm = self.inner_algorithm = _NO_ALGORITHM
        self.issuer = names.EMPTY
        self.this_update: Time = _NO_TIME
        self.next_update: Time | None = None
        self.extensions: tuple[Extension, ...] = ()
        self._revoked: der.Element | None = None
        self._whole = False
        try:
            self._read()
            self._whole = True
        except der.DerError as problem:
            self.problems.append(f"CRL: {problem}")
        self.authority_key_id = self._parse(AUTHORITY_KEY_ID, read_authority_key_id)
        self.number = self._parse(CRL_NUMBER, _read_integer)
        self.base_number = self._parse(DELTA_INDICATOR, _read_integer)
        self.point = self._parse(ISSUING_DISTRIBUTION_POINT, self._read_point)
        if self.base_number is not None and self.number is None:
            self.problems.append("a delta CRL without a number")

    @property
    def usable(self) -> bool:
        """Whether all of its structure could be read; what its extensions hold is another question."""
        return self._whole and not self._entries.problems

    @property
    def consistent(self) -> bool:
        """Whether its extensions can be understood and do not contradict each other."""
        return not self.problems and (self.point is None or self.point.consistent)

    @property
    def freshest(self) -> bool:
        """Whether it says where delta CRLs are (RFC 5280 §5.2.6)."""
        return any(item.oid == FRESHEST_CRL for item in self.extensions)

    @property
    def unhandled_critical(self) -> tuple[str, ...]:
        """Critical extensions, of the CRL or an entry, that are not understood."""
        own = (item.oid for item in self.extensions if item.critical and item.oid not in _HANDLED)
        return (*own, *self._entries.unhandled_critical)

    @property
    def reasons(self) -> int:
        """Which reasons for revocation it covers, as `general_names.ALL_REASONS` has them."""
        return ALL_REASONS if self.point is None or self.point.reasons is None else self.point.reasons

    def find(self, serial: int, issuer: names.Name) -> Revoked | None:
        """Give the entry of a certificate, found by its serial number and issuer."""
        for entry in self._entries.by_serial.get(serial, ()):
            if entry.issuer is None:
                if issuer == self.issuer:
                    return entry
            elif any(name.name == issuer for name in entry.issuer if name.name is not None):
                return entry
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crl) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<Crl of {self.issuer.format()}>"

    # --- reading ----------------------------------------------------------------------------------

    def _read(self) -> None:
        if len(self.der) > MAX_CRL:
            raise der.DerError(f"{len(self.der)} bytes, more than {MAX_CRL} are not read")
        parts = der.parse(self.der).expect(der.SEQUENCE, "outermost structure").children()
        if len(parts) != 3:
            raise der.DerError(f"{len(parts)} parts where three belong")
        self.tbs = parts[0].encoding
        self.signature_algorithm = AlgorithmIdentifier.read(parts[1])
        self.signature = der.bit_string(parts[2])
        fields = parts[0].expect(der.SEQUENCE, "signed part").children()
        if fields and fields[0].tag == der.INTEGER:
            fields.pop(0)
        if len(fields) < 3:
            raise der.DerError(f"only {len(fields)} fields in the signed part")
        self.inner_algorithm = AlgorithmIdentifier.read(fields[0])
        self.issuer = names.Name.read(fields[1])
        self.problems += self.issuer.problems
        self.this_update = Time.read(fields[2])
        rest = fields[3:]
        if rest and rest[0].tag in {der.UTC_TIME, der.GENERALIZED_TIME}:
            self.next_update = Time.read(rest.pop(0))
        if rest and rest[0].tag == der.SEQUENCE:
            self._revoked = rest.pop(0)
        if rest and rest[0].tag == 0xA0:
            inner = rest.pop(0).children()
            if len(inner) != 1:
                raise der.DerError("extensions that are not one list")
            self.extensions, problems = read_extensions(inner[0])
            self.problems += problems
        if rest:
            raise der.DerError(f"a field with tag 0x{rest[0].tag:02x} in the signed part")

    def _parse(self, oid: str, reader: Callable[[der.Element], Parsed]) -> Parsed | None:
        matching = [item for item in self.extensions if item.oid == oid]
        if not matching:
            return None
        try:
            if len(matching) > 1:
                raise der.DerError(f"it stands {len(matching)} times")
            return reader(der.parse(matching[0].value))
        except (der.DerError, ValueError, IndexError) as problem:
            self.problems.append(f"the extension {oid} of the CRL is malformed: {problem}")
            return None

    def _read_point(self, element: der.Element) -> IssuingDistributionPoint:
        what = "issuing distribution point"
        order = (0xA0, 0x81, 0x82, 0x83, 0x84, 0x85)
        fields = der.optional_fields(element.expect(der.SEQUENCE, what).children(), order, what)
        point = DistributionPoint.read_name(fields[0xA0]).resolved(self.issuer) if 0xA0 in fields else None
        reasons = read_reasons(fields[0x83]) if 0x83 in fields else None
        user, ca, indirect, attribute = (
            tag in fields and der.boolean(fields[tag], tag) for tag in (0x81, 0x82, 0x84, 0x85)
        )
        return IssuingDistributionPoint(point, user, ca, attribute, indirect, reasons)

    @cached_property
    def _entries(self) -> _Entries:
        return _Entries(self._revoked)


class _Entries:
    """The revoked certificates by serial number; an entry's issuer holds until the next one says another."""

    def __init__(self, element: der.Element | None) -> None:
        self.by_serial: dict[int, list[Revoked]] = {}
        self.unhandled_critical: list[str] = []
        self.problems: list[str] = []
        self._issuer: tuple[GeneralName, ...] | None = None
        try:
            for item in der.read_all(element.data, element.body, element.end) if element else ():
                self._add(item)
        except (der.DerError, ValueError, IndexError) as problem:
            self.problems.append(f"revoked certificates: {problem}")

    def _add(self, item: der.Element) -> None:
        fields = item.expect(der.SEQUENCE, "entry").children()
        serial = der.integer(fields[0].expect(der.INTEGER, "serial number").content)
        reason = self._read_extensions(fields[2]) if len(fields) > 2 else None
        self.by_serial.setdefault(serial, []).append(Revoked(serial, reason, self._issuer))

    def _read_extensions(self, element: der.Element) -> int | None:
        reason = None
        found, problems = read_extensions(element)
        self.problems += problems
        for item in found:
            if item.oid == CERTIFICATE_ISSUER:
                self._issuer = read_general_names(der.parse(item.value))
            elif item.oid == REASON_CODE:
                reason = der.integer(der.parse(item.value).expect(der.ENUMERATED, "reason").content)
            if item.critical and item.oid != CERTIFICATE_ISSUER:
                self.unhandled_critical.append(item.oid)
        return reason


def _read_integer(element: der.Element) -> int:
    return der.strict_integer(element)


_HANDLED = {ISSUING_DISTRIBUTION_POINT, AUTHORITY_KEY_ID, DELTA_INDICATOR}
