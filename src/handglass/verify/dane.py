"""TLSA records: read, and matched with a chain (RFC 6698, RFC 7671).

`DaneRecords` holds the usable records of one server; `judge()` makes the judge for one verification, which
path building asks about each certificate as the chain grows. Among the digests for one usage and selector
only the strongest counts (RFC 7671 §9); a whole certificate or key in a record always counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from handglass.crypto import der
from handglass.records import dataclass

from .certificate import Certificate

__all__ = ["DaneMatch", "DaneRecords", "TlsaError", "TlsaRecord", "key_record", "parse_record", "read_record"]

PKIX_TA, PKIX_EE, DANE_TA, DANE_EE = range(4)
CERT, SPKI = range(2)
FULL, SHA2_256, SHA2_512 = range(3)
MAX_RECORDS = 256
_DIGESTS = {SHA2_256: "sha256", SHA2_512: "sha512"}
RAW_KEY_MATCHED = "matched the peer raw public key"
_SHOWN = 12  # bytes at the end of a record's data that tell records apart


class TlsaError(ValueError):
    """A TLSA record cannot be read or used. The text is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """One TLSA record (RFC 6698 §2.1): certificate usage, selector, matching type, association data."""

    usage: int
    selector: int
    matching_type: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching_type} {self.data.hex()}"

    @property
    def order(self) -> tuple[int, int, int]:
        """The order in which records are tried: high usages first, strong digests before weak ones."""
        return -self.usage, -self.selector, -self.matching_type


@dataclass(frozen=True, slots=True)
class DaneMatch:
    """Which record matched at which depth.

    `by_bare_key`: its key signed the certificate there; `raw_key`: the peer showed no certificate but a key (RFC 7250).
    """

    record: TlsaRecord
    depth: int
    by_bare_key: bool = False
    raw_key: bool = False

    @property
    def text(self) -> str:
        """The line of s_client: "DANE TLSA 3 1 1 ...b737a81d91e87bba matched EE certificate at depth 0"."""
        record = self.record
        tail = record.data[-_SHOWN:].hex()
        dots = "..." if len(record.data) > _SHOWN else ""
        if self.raw_key:
            return f"DANE TLSA {record.usage} {record.selector} {record.matching_type} {dots}{tail} {RAW_KEY_MATCHED}"
        how = f"matched {'TA' if self.depth else 'EE'} certificate"
        if self.by_bare_key:
            how = "signed the certificate"
        numbers = f"{record.usage} {record.selector} {record.matching_type}"
        return f"DANE TLSA {numbers} {dots}{tail} {how} at depth {self.depth}"


def parse_record(text: str) -> TlsaRecord:
    """Read "usage selector matching-type hex", as in -dane_tlsa_rrdata or a zone file. Raises `TlsaError`."""
    fields = text.split(None, 3)
    numbers = []
    for index, name in enumerate(("usage", "selector", "mtype")):
        field = fields[index] if index < len(fields) else ""
        if not (field.isascii() and field.isdigit()) or int(field) > 255:
            raise TlsaError(f"bad TLSA {name} field in: {text}")
        numbers.append(int(field))
    try:
        data = bytes.fromhex(fields[3])
    except (ValueError, IndexError):
        raise TlsaError(f"bad TLSA data field in: {text}") from None
    usage, selector, matching_type = numbers
    return read_record(usage, selector, matching_type, data)


def read_record(usage: int, selector: int, matching_type: int, data: bytes) -> TlsaRecord:
    """Return a record that can be used. Raises `TlsaError` saying why it cannot (RFC 7671 §4.1)."""
    record = TlsaRecord(usage, selector, matching_type, data)
    reason = _unusable(record)
    if reason:
        raise TlsaError(f"unusable TLSA rrdata: {record} ({reason})")
    return record


def _unusable(record: TlsaRecord) -> str:
    if record.usage > DANE_EE:
        return f"the certificate usage {record.usage} does not exist"
    if record.selector > SPKI:
        return f"the selector {record.selector} does not exist"
    if record.matching_type > SHA2_512:
        return f"the matching type {record.matching_type} does not exist"
    if not record.data:
        return "it has no data"
    digest = _DIGESTS.get(record.matching_type)
    if digest is not None:
        size = hashlib.new(digest, usedforsecurity=False).digest_size
        return "" if len(record.data) == size else f"{digest} has {size} bytes, not {len(record.data)}"
    try:
        element = der.parse(record.data)
    except der.DerError as problem:
        return f"its data is no DER: {problem}"
    if element.end != len(record.data):
        return "bytes follow the end of its data"
    if record.selector == CERT and not Certificate(record.data).readable:
        return "its data is no certificate"
    if record.selector == SPKI and [child.tag for child in element.children()] != [
        der.SEQUENCE,
        der.BIT_STRING,
    ]:
        return "its data is no public key"
    return ""


def key_record(key: bytes) -> TlsaRecord:
    """Return the record "3 1 0" that only this key (SubjectPublicKeyInfo in DER) matches."""
    return TlsaRecord(DANE_EE, SPKI, FULL, key)


class DaneRecords:
    """The usable TLSA records of one server."""

    def __init__(self, records: Iterable[TlsaRecord], *, no_ee_name_checks: bool = False) -> None:
        self.records = tuple(sorted(dict.fromkeys(records), key=lambda record: record.order))[:MAX_RECORDS]
        self.no_ee_name_checks = no_ee_name_checks

    def judge(self) -> Judge:
        """Return a judge for one verification (`handglass.verify.DaneJudge`)."""
        return Judge(self.records, no_ee_name_checks=self.no_ee_name_checks)

    def __bool__(self) -> bool:
        return bool(self.records)


class Judge:
    """The answers of a server's records to path building, for one verification. See `DaneJudge`."""

    def __init__(self, records: Sequence[TlsaRecord], *, no_ee_name_checks: bool = False) -> None:
        self.records = records
        self.has_pkix = any(record.usage in {PKIX_TA, PKIX_EE} for record in records)
        self.has_dane = any(record.usage in {DANE_TA, DANE_EE} for record in records)
        self.has_anchors = any(record.usage in {PKIX_TA, DANE_TA} for record in records)
        self.skip_names = no_ee_name_checks
        whole = [
            record
            for record in records
            if record.usage in {PKIX_TA, DANE_TA} and record.matching_type == FULL
        ]
        self.certificates: Sequence[bytes] = [record.data for record in whole if record.selector == CERT]
        self.bare_keys: Sequence[bytes] = [
            record.data for record in whole if record.selector == SPKI and record.usage == DANE_TA
        ]
        self.matched: DaneMatch | None = None
        self.matched_depth: int | None = None

    @property
    def vouches(self) -> bool:
        """Whether a record of usage 2 or 3 authenticated the peer, so that no public authority had to."""
        return self.matched is not None and self.matched.record.usage in {DANE_TA, DANE_EE}

    def match(self, certificate: bytes, depth: int, *, from_store: bool) -> bool:
        """Compare a certificate at a depth with the records; True if usage 2 or 3 authenticates the peer."""
        wanted = {PKIX_EE, DANE_EE} if depth == 0 else {PKIX_TA, DANE_TA}
        if from_store:
            wanted -= {DANE_TA}
        if (
            self.matched is not None
        ):  # one match of usage 0 or 1 is enough: what remains is to build the chain
            wanted -= {PKIX_TA, PKIX_EE}
        for record in _agile(record for record in self.records if record.usage in wanted):
            if not _matches(record, certificate):
                continue
            self._remember(DaneMatch(record, depth))
            return record.usage in {DANE_TA, DANE_EE}
        return False

    def match_raw_key(self, key: bytes) -> bool:
        """Compare a peer's raw public key (RFC 7250) with the records "3 1 …", the only ones that can match."""
        usable = [each for each in self.records if (each.usage, each.selector) == (DANE_EE, SPKI)]
        for record in _agile(usable):
            if _fits(record, key):
                self._remember(DaneMatch(record, 0, raw_key=True))
                return True
        return False

    def matched_bare_key(self, depth: int, key: bytes) -> None:
        """Take note that the key of a record "2 1 0" signed the certificate at `depth`."""
        for record in self.records:
            if (record.usage, record.selector, record.matching_type, record.data) == (
                DANE_TA,
                SPKI,
                FULL,
                key,
            ):
                self._remember(DaneMatch(record, depth, by_bare_key=True))
                return

    def forget(self, from_depth: int) -> None:
        """Drop a match at `from_depth` or above it."""
        if self.matched is not None and self.matched.depth >= from_depth:
            self._remember(None)

    def _remember(self, match: DaneMatch | None) -> None:
        self.matched = match
        self.matched_depth = match.depth if match is not None else None


def _agile(records: Iterable[TlsaRecord]) -> Iterable[TlsaRecord]:
    """Leave out digests weaker than the strongest one for the same usage and selector (RFC 7671 §9)."""
    strongest: dict[tuple[int, int], int] = {}
    for record in records:
        best = strongest.setdefault((record.usage, record.selector), record.matching_type)
        if record.matching_type in {FULL, best}:
            yield record


def _matches(record: TlsaRecord, certificate: bytes) -> bool:
    return _fits(record, certificate if record.selector == CERT else Certificate(certificate).spki)


def _fits(record: TlsaRecord, selected: bytes) -> bool:
    """Compare a record's data with what its selector has selected."""
    digest = _DIGESTS.get(record.matching_type)
    if not selected:
        return False
    if digest is not None:
        selected = hashlib.new(digest, selected, usedforsecurity=False).digest()
    return selected == record.data
