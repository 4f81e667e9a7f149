"""The TLS 1.3 key schedule (RFC 8446 §7).

All of it is HMAC over less than a block, so the cost is calls, not hashing. A label's encoding is
public and the same on every connection, so it is built once and kept; a secret that several
others are derived from keeps its keyed hash state while the schedule stands on it. Nothing that
depends on a secret is kept outside the `KeySchedule`.
"""

from __future__ import annotations

from functools import lru_cache

from handglass.crypto.hashes import HASHES, HashFacts, Mac, digest, hmac

from .labels import TLS13_PREFIX, SecretLabel, Stage


def hkdf_extract(hash_name: str, salt: bytes, secret: bytes) -> bytes:
    """HKDF-Extract (RFC 5869 §2.2). An empty salt stands for a hash length of zeros, as there."""
    return hmac(hash_name, salt, secret)


def hkdf_expand(hash_name: str, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869 §2.3): `length` bytes, at most 255 times the hash size (else ValueError)."""
    size = HASHES[hash_name].digest_size
    if length <= size:
        return hmac(hash_name, secret, info + b"\x01")[:length]
    if length > 255 * size:
        raise ValueError(f"HKDF with {hash_name} gives at most {255 * size} bytes, not {length}")
    mac = Mac(HASHES[hash_name], secret)
    blocks = [mac(info, b"\x01")]
    for counter in range(2, -(-length // size) + 1):
        blocks.append(mac(blocks[-1], info, bytes((counter,))))
    return b"".join(blocks)[:length]


def hkdf_expand_label(
    hash_name: str, secret: bytes, label: bytes, context: bytes, length: int, *, prefix: bytes = TLS13_PREFIX
) -> bytes:
    """HKDF-Expand-Label (RFC 8446 §7.1): `length` bytes for `label`, which comes without its prefix."""
    return hkdf_expand(hash_name, secret, _hkdf_label(length, prefix, label, context), length)


def traffic_keys(
    hash_name: str, secret: bytes, key_size: int, iv_size: int, *, prefix: bytes = TLS13_PREFIX
) -> tuple[bytes, bytes]:
    """Give the write key and IV that belong to a traffic secret (RFC 8446 §7.3)."""
    facts = HASHES[hash_name]
    if max(key_size, iv_size) > facts.digest_size:
        return (
            hkdf_expand_label(hash_name, secret, b"key", b"", key_size, prefix=prefix),
            hkdf_expand_label(hash_name, secret, b"iv", b"", iv_size, prefix=prefix),
        )
    mac = Mac(facts, secret)
    return (
        mac(_label_prefix(key_size, prefix, b"key"), b"\x00\x01")[:key_size],
        mac(_label_prefix(iv_size, prefix, b"iv"), b"\x00\x01")[:iv_size],
    )


def next_traffic_secret(hash_name: str, secret: bytes, *, prefix: bytes = TLS13_PREFIX) -> bytes:
    """Give the traffic secret after a KeyUpdate (RFC 8446 §7.2)."""
    size = HASHES[hash_name].digest_size
    return hkdf_expand_label(hash_name, secret, b"traffic upd", b"", size, prefix=prefix)


def finished_key(hash_name: str, secret: bytes, *, prefix: bytes = TLS13_PREFIX) -> bytes:
    """Give the MAC key for a Finished message or a PSK binder (RFC 8446 §4.4.4)."""
    return hkdf_expand_label(
        hash_name, secret, b"finished", b"", HASHES[hash_name].digest_size, prefix=prefix
    )


def finished_mac(
    hash_name: str, secret: bytes, transcript_hash: bytes, *, prefix: bytes = TLS13_PREFIX
) -> bytes:
    """Give the verify_data of a Finished, or a binder under its binder key (RFC 8446 §4.4.4)."""
    return hmac(hash_name, finished_key(hash_name, secret, prefix=prefix), transcript_hash)


def binder_key(
    hash_name: str,
    psk: bytes,
    label: SecretLabel = SecretLabel.RESUMPTION_BINDER,
    *,
    prefix: bytes = TLS13_PREFIX,
) -> bytes:
    """Give the secret whose `finished_mac` is a PSK's binder; `label` says where the PSK came from (§7.1)."""
    schedule = KeySchedule(hash_name, prefix)
    schedule.start(psk)
    return schedule.derive(label, _empty_hash(hash_name))


def resumption_psk(
    hash_name: str, resumption_secret: bytes, ticket_nonce: bytes, *, prefix: bytes = TLS13_PREFIX
) -> bytes:
    """Give the PSK of one session ticket (RFC 8446 §4.6.1)."""
    size = HASHES[hash_name].digest_size
    return hkdf_expand_label(hash_name, resumption_secret, b"resumption", ticket_nonce, size, prefix=prefix)


def exporter(
    hash_name: str,
    exporter_secret: bytes,
    label: bytes,
    context: bytes,
    length: int,
    *,
    prefix: bytes = TLS13_PREFIX,
) -> bytes:
    """Keying material for an application (RFC 8446 §7.5). No context and an empty one are the same.

    Raises ValueError for more than can be derived (RFC 5869 §2.3).
    """
    if length > 0xFFFF:  # what the length of a label's output is written in
        raise ValueError(f"{length} bytes of keying material cannot be derived at once")
    size = HASHES[hash_name].digest_size
    own = hkdf_expand_label(hash_name, exporter_secret, label, _empty_hash(hash_name), size, prefix=prefix)
    return hkdf_expand_label(hash_name, own, b"exporter", digest(hash_name, context), length, prefix=prefix)


class KeySchedule:
    """The three secrets one after another and what is derived from each (RFC 8446 §7.1).

    `start`, `enter_handshake` and `enter_master` are called in this order; between them `derive`
    gives the secrets of the stage that was entered last. Asking for a secret of another stage is
    a mistake of the caller's and raises ValueError.
    """

    __slots__ = ("_facts", "_mac", "_prefix", "_secret", "_stage", "_without_psk", "hash_name")

    def __init__(self, hash_name: str, prefix: bytes = TLS13_PREFIX) -> None:
        self.hash_name = hash_name
        self._facts: HashFacts = HASHES[hash_name]
        self._prefix = prefix
        self._stage: Stage | None = None
        self._without_psk = False
        self._secret = b""
        self._mac: Mac | None = None

    def __repr__(self) -> str:
        stage = self._stage.value if self._stage else "not started"
        return f"KeySchedule({self.hash_name!r}, stage={stage!r})"

    @property
    def stage(self) -> Stage | None:
        """The stage that was entered last; None before `start`."""
        return self._stage

    @property
    def secret(self) -> bytes:
        """The early, handshake or master secret, whichever stage this is."""
        return self._secret

    def start(self, psk: bytes | None = None) -> None:
        """Enter the early stage with the pre-shared key, or with none."""
        self._check(None)
        self._without_psk = psk is None
        name = self.hash_name
        secret = _early_secret_without_psk(name) if psk is None else hkdf_extract(name, b"", psk)
        self._enter(Stage.EARLY, secret)

    def enter_handshake(self, shared: bytes | None = None) -> None:
        """Mix in the (EC)DHE or KEM shared secret; None with psk_ke, which has none."""
        self._check(Stage.EARLY)
        self._enter(Stage.HANDSHAKE, self._extract_next(shared))

    def enter_master(self) -> None:
        """Enter the last stage, whose input is always a hash length of zeros."""
        self._check(Stage.HANDSHAKE)
        self._enter(Stage.MASTER, self._extract_next(None))

    def derive(self, label: SecretLabel, transcript_hash: bytes) -> bytes:
        """Derive-Secret of the current stage's secret, given the hash of the messages so far."""
        if label.stage is not self._stage:
            raise ValueError(f"{label.name} is not derived in {self!r}")
        return self._derive(label.derivation, transcript_hash)

    def _derive(self, label: bytes, transcript_hash: bytes) -> bytes:
        mac = self._mac
        if mac is None:
            mac = self._mac = Mac(self._facts, self._secret)
        size = self._facts.digest_size
        return mac(_label_prefix(size, self._prefix, label), bytes((size,)), transcript_hash, b"\x01")

    def _extract_next(self, secret: bytes | None) -> bytes:
        if self._without_psk and self._stage is Stage.EARLY:
            salt = _handshake_salt_without_psk(self.hash_name, self._prefix)
        else:
            salt = self._derive(b"derived", _empty_hash(self.hash_name))
        return hkdf_extract(
            self.hash_name, salt, bytes(self._facts.digest_size) if secret is None else secret
        )

    def _enter(self, stage: Stage, secret: bytes) -> None:
        self._stage, self._secret, self._mac = stage, secret, None

    def _check(self, expected: Stage | None) -> None:
        if self._stage is not expected:
            raise ValueError(f"out of order in {self!r}")


def _hkdf_label(length: int, prefix: bytes, label: bytes, context: bytes) -> bytes:
    """Give the encoding of struct HkdfLabel (RFC 8446 §7.1)."""
    return b"%b%c%b" % (_label_prefix(length, prefix, label), len(context), context)


@lru_cache(maxsize=256)
def _label_prefix(length: int, prefix: bytes, label: bytes) -> bytes:
    """Give the part of HkdfLabel before the context: public, and few of them per program."""
    full = prefix + label
    if len(full) > 255:
        raise ValueError("a label has at most 255 bytes with its prefix")
    return length.to_bytes(2, "big") + bytes((len(full),)) + full


@lru_cache(maxsize=16)
def _empty_hash(hash_name: str) -> bytes:
    return digest(hash_name, b"")


@lru_cache(maxsize=16)
def _early_secret_without_psk(hash_name: str) -> bytes:
    """HKDF-Extract of zeros with zeros: a public constant for each hash."""
    return hkdf_extract(hash_name, b"", bytes(HASHES[hash_name].digest_size))


@lru_cache(maxsize=16)
def _handshake_salt_without_psk(hash_name: str, prefix: bytes) -> bytes:
    """Derive-Secret of that, what the (EC)DHE secret is mixed into: as public and as constant."""
    label = _hkdf_label(HASHES[hash_name].digest_size, prefix, b"derived", _empty_hash(hash_name))
    return hmac(hash_name, _early_secret_without_psk(hash_name), label + b"\x01")
