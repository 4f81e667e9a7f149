"""What both sides below TLS 1.3 do alike: Finished, keys, and the record of what was agreed on."""

from __future__ import annotations

from handglass.crypto.entropy import Entropy
from handglass.crypto.hashes import equal
from handglass.handshake.legacy.profiles import Profile
from handglass.handshake.state import State
from handglass.handshake.wants import (
    Conversation,
    Direction,
    Expectation,
    ExpectChangeCipherSpec,
    Install,
    Reveal,
    Send,
    SendChangeCipherSpec,
    expect,
)
from handglass.keys import prf
from handglass.keys.labels import SecretLabel
from handglass.keys.prf import DirectionKeys, KeyBlock
from handglass.messages.handshake import Certificate12, Finished, RawPublicKeyCertificate12
from handglass.record.protection import Protection
from handglass.record.suites import key_sizes
from handglass.records import dataclass, field
from handglass.registry import reasons
from handglass.registry.errors import PeerError
from handglass.registry.suites import SuiteFacts

READ_FINISHED = Expectation("read finished", Finished)
READ_CHANGE_CIPHER_SPEC = ExpectChangeCipherSpec("read change cipher spec")


@dataclass(slots=True)
class Security:
    """The parameters that ChangeCipherSpec puts into force (RFC 5246 §6.1)."""

    profile: Profile
    facts: SuiteFacts
    master: bytes = field(repr=False)
    keys: KeyBlock = field(repr=False)
    encrypt_then_mac: bool

    @property
    def hash_name(self) -> str:
        """The hash of the handshake and of the PRF."""
        return self.profile.hash_of(self.facts)

    def protect(self, keys: DirectionKeys, entropy: Entropy) -> Protection:
        """Record protection for one direction."""
        return self.profile.protect(
            self.facts,
            keys,
            encrypt_then_mac=self.encrypt_then_mac,
            entropy=entropy,
            version=self.profile.version,
        )


def make_security(me: State, profile: Profile, facts: SuiteFacts, master: bytes) -> Conversation[Security]:
    """Derive the key block (RFC 5246 §6.3) and make the exporter (RFC 5705)."""
    agreed = me.negotiated
    client_random, server_random = agreed.client_random, agreed.server_random
    hash_name = profile.hash_of(facts)
    yield Reveal(SecretLabel.MASTER_SECRET, master)
    agreed.exporter = lambda label, context, length: prf.exporter(
        profile.prf,
        hash_name,
        master,
        client_random=client_random,
        server_random=server_random,
        label=label,
        context=context,
        length=length,
    )
    keys = prf.key_block(
        profile.prf,
        hash_name,
        master,
        client_random=client_random,
        server_random=server_random,
        sizes=key_sizes(facts),
    )
    return Security(profile, facts, master, keys, agreed.encrypt_then_mac)


def send_finished(me: State, security: Security) -> Conversation[bytes]:
    """ChangeCipherSpec and our Finished (RFC 5246 §7.1, §7.4.9); our verify_data."""
    is_client = me.negotiated.is_client
    yield SendChangeCipherSpec()
    keys = security.keys.client if is_client else security.keys.server
    yield Install(Direction.WRITE, security.protect(keys, me.entropy), me.driver.channel.write_epoch + 1)
    verify_data = finished(me, security, by_client=is_client)
    yield Send(Finished(verify_data))
    return verify_data


def read_finished(me: State, security: Security) -> Conversation[bytes]:
    """The peer's ChangeCipherSpec and Finished (RFC 5246 §7.1, §7.4.9); its verify_data."""
    is_client = me.negotiated.is_client
    yield READ_CHANGE_CIPHER_SPEC
    me.receives_data = False  # nothing but Finished may come under new keys
    keys = security.keys.server if is_client else security.keys.client
    yield Install(Direction.READ, security.protect(keys, me.entropy), me.driver.channel.read_epoch + 1)
    expected = finished(me, security, by_client=not is_client)
    message = yield from expect(READ_FINISHED)
    if len(message.verify_data) != len(expected):
        raise PeerError(
            reasons.DECODE_ERROR, f"Finished has {len(message.verify_data)} bytes, not {len(expected)}"
        )
    if not equal(message.verify_data, expected):
        raise PeerError(reasons.BAD_FINISHED)
    return expected


def finished(me: State, security: Security, *, by_client: bool) -> bytes:
    """The verify_data over the handshake so far (RFC 5246 §7.4.9)."""
    return prf.finished(
        security.profile.prf,
        security.hash_name,
        security.master,
        client=by_client,
        transcript_hash=me.transcript.digest(),
    )


def settle_extended_master_secret(me: State, *, used: bool) -> None:
    """Note whether it is used; it may be required here (RFC 7627 §5.2)."""
    me.negotiated.extended_master_secret = used
    if me.settings.require_extended_master_secret and not used:
        raise PeerError(reasons.MISSING_EXTENDED_MASTER_SECRET)


def check_encrypt_then_mac(me: State, facts: SuiteFacts, *, before: bool) -> None:
    """A renegotiation may bring encrypt-then-MAC, but must not give it up for MAC-then-encrypt (RFC 7366 §3.1)."""
    if before and me.renegotiations and not me.negotiated.encrypt_then_mac and facts.mac != "AEAD":
        raise PeerError(reasons.ENCRYPT_THEN_MAC_DROPPED)


def read_certificate(
    me: State, certificate: Expectation[Certificate12], raw_key: Expectation[RawPublicKeyCertificate12]
) -> Conversation[None]:
    """Certificate, or what was agreed on in its place: a raw public key (RFC 5246 §7.4.2, RFC 7250 §3)."""
    agreed = me.negotiated
    if agreed.expects_raw_key:
        message = yield from expect(raw_key)
        agreed.peer_certificates, agreed.peer_public_key = (), message.subject_public_key_info
    else:
        chain = (yield from expect(certificate)).certificate_list
        agreed.peer_certificates, agreed.peer_public_key = tuple(chain), b""
    check_lengths(me, len(agreed.peer_certificates))


def check_lengths(me: State, count: int) -> None:
    """Refuse a Certificate message just read that is longer, or has more certificates, than our limits allow."""
    limits = me.settings.limits
    if len(me.raw) > limits.certificate_list:
        raise PeerError(
            reasons.CERTIFICATES_TOO_LONG, f"{len(me.raw)}, and the limit is {limits.certificate_list}"
        )
    if count > limits.certificates:
        raise PeerError(reasons.TOO_MANY_CERTIFICATES, f"{count}, and the limit is {limits.certificates}")


def end_handshake(me: State) -> None:
    """The handshake is done: application data flows, and its messages need not be remembered."""
    me.receives_data = me.sends_data = True
    me.renegotiating = False
    me.driver.spare_hello_requests = 0
    me.end_transcript(keep=False)
