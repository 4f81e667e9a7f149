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
CONSTRUCTED = {OTHER, X400, DIRECTORY, EDI_PARTY}
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
        if kind > REGISTERED or element.tag != 0x80 | kind | (0x20 if kind in CONSTRUCTED else 0):
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
        if kind == EDI_PARTY and 0xA1 not in der.optional_fields(
            element.children(), (0xA0, 0xA1), "EDI party"
        ):
            raise der.DerError("an EDI party without a name")
        if kind == REGISTERED:
            der.decode_oid(element.content)
        return cls(kind, element.content)


def read_general_names(element: der.Element, tag: int = der.SEQUENCE) -> tuple[GeneralName, ...]:
    """Read GeneralNames, which may have an implicit tag. Raises DerError."""
    items = element.expect(tag, "list of names").children()
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
        what = "name constraints"
        fields = der.optional_fields(element.expect(der.SEQUENCE, what).children(), (0xA0, 0xA1), what)
        lists = {tag: tuple(map(_read_subtree, field.children())) for tag, field in fields.items()}
        return cls(lists.get(0xA0, ()), lists.get(0xA1, ()))


def _read_subtree(element: der.Element) -> GeneralSubtree:
    base, *distances = element.expect(der.SEQUENCE, "subtree").children()
    fields = der.optional_fields(distances, (0x80, 0x81), "subtree")
    counts = {tag: der.strict_integer(field, tag) for tag, field in fields.items()}
    return GeneralSubtree(GeneralName.read(base), counts.get(0x80, 0) == 0 and 0x81 not in counts)


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
        what = "distribution point"
        fields = der.optional_fields(element.expect(der.SEQUENCE, what).children(), (0xA0, 0x81, 0xA2), what)
        point = cls.read_name(fields[0xA0]) if 0xA0 in fields else cls(None, None)
        if 0x81 in fields:
            point = replace(point, reasons=read_reasons(fields[0x81]))
        if 0xA2 in fields:
            point = replace(point, issuer=read_general_names(fields[0xA2], 0xA2))
        return point

    @staticmethod
    def read_name(field: der.Element) -> DistributionPoint:
        """Read a DistributionPointName, as a point that has nothing else. Raises DerError."""
        inner = field.children()
        if len(inner) == 1 and inner[0].tag == 0xA0:
            return DistributionPoint(read_general_names(inner[0], 0xA0), None)
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
    return int.from_bytes(der.bit_string(field, field.tag)[:2], "little") & ALL_REASONS
