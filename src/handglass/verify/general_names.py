"""GeneralName and what is built of it (RFC 5280 §4.2.1.6, §4.2.1.10, §4.2.1.13)."""

from __future__ import annotations

from handglass.crypto import der
from handglass.records import dataclass, replace

from .names import Name

__all__ = [
    "ALL_REASONS",
    "DIRECTORY",
    "DNS",
    "EMAIL",
    "IP",
    "OTHER",
    "URI",
    "DistributionPoint",
    "GeneralName",
    "GeneralSubtree",
    "NameConstraints",
    "read_general_names",
]

OTHER, EMAIL, DNS, X400, DIRECTORY, EDI_PARTY, URI, IP, REGISTERED = range(9)
ALL_REASONS = 0x807F  # all nine ReasonFlags, first bit as 0x80 of the first byte, second byte above it
MAX_NAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One name: `kind` is the number of its alternative; `value` its bytes.

    `name` is set for a directoryName; `other` is (type, DER of the value) for an otherName.
    """

    kind: int
    value: bytes
    name: Name | None = None
    other: tuple[str, bytes] | None = None

    @classmethod
    def read(cls, element: der.Element) -> GeneralName:
        """Read one GeneralName. Raises DerError."""
        kind = element.tag & 0x1F
        if element.tag & 0xC0 != 0x80 or kind > REGISTERED:
            raise der.DerError(f"a general name with tag 0x{element.tag:02x}")
        if kind == DIRECTORY:
            inner = element.children()
            if len(inner) != 1:
                raise der.DerError("a directory name that is not one name")
            name = Name.read(inner[0])
            if name.problems:
                raise der.DerError(name.problems[0])
            return cls(kind, inner[0].encoding, name)
        if kind == OTHER:
            fields = element.children()
            if len(fields) != 2 or fields[1].tag != 0xA0:
                raise der.DerError("an otherName that is not a type and a value")
            oid = der.decode_oid(fields[0].expect(der.OID, "otherName type").content)
            return cls(kind, element.content, None, (oid, fields[1].content))
        return cls(kind, element.content)


def read_general_names(element: der.Element) -> tuple[GeneralName, ...]:
    """Read GeneralNames; the tag of the list itself may be an implicit one. Raises DerError."""
    if element.tag & 0x20 == 0:
        raise der.DerError(f"a list of names with tag 0x{element.tag:02x}")
    items = element.children()
    if len(items) > MAX_NAMES:
        raise der.DerError(f"more than {MAX_NAMES} names")
    return tuple(map(GeneralName.read, items))


@dataclass(frozen=True, slots=True)
class GeneralSubtree:
    """A base and its distances (RFC 5280 §4.2.1.10).

    `plain` when minimum is 0 and maximum absent, as it must be.
    """

    base: GeneralName
    plain: bool


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """Permitted and excluded subtrees."""

    permitted: tuple[GeneralSubtree, ...]
    excluded: tuple[GeneralSubtree, ...]

    @classmethod
    def read(cls, element: der.Element) -> NameConstraints:
        """Read the extension's value. Raises DerError."""
        lists: dict[int, tuple[GeneralSubtree, ...]] = {}
        for field in element.expect(der.SEQUENCE, "name constraints").children():
            if field.tag not in {0xA0, 0xA1}:
                raise der.DerError(f"name constraints: a field with tag 0x{field.tag:02x}")
            lists[field.tag] = tuple(map(_read_subtree, field.children()))
        return cls(lists.get(0xA0, ()), lists.get(0xA1, ()))


def _read_subtree(element: der.Element) -> GeneralSubtree:
    base, *distances = element.expect(der.SEQUENCE, "subtree").children()
    plain = True
    for distance in distances:
        if distance.tag not in {0x80, 0x81}:
            raise der.DerError(f"a subtree with tag 0x{distance.tag:02x}")
        plain = plain and distance.tag == 0x80 and der.integer(distance.content) == 0
    return GeneralSubtree(GeneralName.read(base), plain)


@dataclass(frozen=True, slots=True)
class DistributionPoint:
    """Where a CRL is found (RFC 5280 §4.2.1.13), also the name inside an issuing distribution point (§5.2.5).

    `names`: its full name; `relative`: the DER of a name relative to the CRL issuer, and `directory` that
    name made whole; `reasons`: bits as in `ALL_REASONS`; `issuer`: names of the CRL issuer.
    """

    names: tuple[GeneralName, ...] | None
    relative: bytes | None
    reasons: int = ALL_REASONS
    issuer: tuple[GeneralName, ...] | None = None
    directory: Name | None = None

    @classmethod
    def read_list(cls, element: der.Element) -> tuple[DistributionPoint, ...]:
        """Read CRLDistributionPoints. Raises DerError."""
        items = element.expect(der.SEQUENCE, "CRL distribution points").children()
        return tuple(map(cls._read, items))

    @classmethod
    def _read(cls, element: der.Element) -> DistributionPoint:
        point = cls(None, None)
        for field in element.expect(der.SEQUENCE, "distribution point").children():
            if field.tag == 0xA0:
                point = cls.read_name(field)
            elif field.tag == 0x81:
                point = replace(point, reasons=read_reasons(field))
            elif field.tag == 0xA2:
                point = replace(point, issuer=read_general_names(field))
            else:
                raise der.DerError(f"a distribution point with tag 0x{field.tag:02x}")
        return point

    @staticmethod
    def read_name(field: der.Element) -> DistributionPoint:
        """Read a DistributionPointName, as a point that has nothing else. Raises DerError."""
        inner = field.children()
        if len(inner) == 1 and inner[0].tag == 0xA0:
            return DistributionPoint(read_general_names(inner[0]), None)
        if len(inner) == 1 and inner[0].tag == 0xA1:
            return DistributionPoint(None, der.encode(der.SET, inner[0].content))
        raise der.DerError("a distribution point name of no known form")

    def resolved(self, default: Name) -> DistributionPoint:
        """Make a relative name whole with the CRL issuer's name, or `default` where none is given."""
        if self.relative is None:
            return self
        named = [name.name for name in self.issuer or () if name.name is not None]
        base = named[0] if named else default
        whole = der.encode(der.SEQUENCE, der.parse(base.encoding).content + self.relative)
        return replace(self, directory=Name.read(der.parse(whole)))


def read_reasons(field: der.Element) -> int:
    """Read ReasonFlags, implicitly tagged, into the bits of `ALL_REASONS`. Raises DerError."""
    content = field.content
    if not content or content[0] > 7:
        raise der.DerError("reasons: no bit string")
    return int.from_bytes(content[1:3], "little") & ALL_REASONS
