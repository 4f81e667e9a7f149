"""The stored traces of RFC 8448 are right: everything is computed again with hashlib and the primitives alone.

Nothing of Handglass takes part here but the reading of the file, so a value that was copied wrongly cannot hide.
"""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.rfc8448 import TRACES, Trace, rsa_numbers, trace

EMPTY = hashlib.sha256().digest()
ZEROS = bytes(32)
CLIENT_HELLO, SERVER_HELLO, TICKET, END_OF_EARLY_DATA = 1, 2, 4, 5
CHANGE_CIPHER_SPEC, HANDSHAKE = 20, 22
ENCRYPTED_EXTENSIONS, CERTIFICATE, VERIFY, FINISHED = 8, 11, 15, 20

every_trace = pytest.mark.parametrize("section", TRACES)


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, "sha256").digest()


def expand(secret: bytes, label: str, context: bytes, length: int = 32) -> bytes:
    """HKDF-Expand-Label (RFC 8446 §7.1) for one block of output."""
    name = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes((len(name),)) + name + bytes((len(context),)) + context
    return mac(secret, info + b"\x01")[:length]


def transcript(t: Trace, until: int, by: str = "") -> bytes:
    """The hash of the messages up to and with the last one of this type (and of this side)."""
    messages = list(t.messages())
    last = max(i for i, (role, raw) in enumerate(messages) if raw[0] == until and by in role)
    raws = [raw for _, raw in messages[: last + 1]]
    if t.section == 5 and last:  # RFC 8446 §4.4.1: a hash stands for the first ClientHello
        raws[0] = bytes((254, 0, 0, 32)) + hashlib.sha256(raws[0]).digest()
    return hashlib.sha256(b"".join(raws)).digest()


def shared_secret(t: Trace) -> bytes:
    """The secret of the last key pairs that both sides made."""
    kind = "P-256" if t.section == 5 else "x25519"
    what = f"create an ephemeral {kind} key pair"
    own, peer = t.value("client", what, "private key"), t.value("server", what, "public key")
    if kind == "x25519":
        return x25519.X25519PrivateKey.from_private_bytes(own).exchange(
            x25519.X25519PublicKey.from_public_bytes(peer)
        )
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), peer)
    return ec.derive_private_key(int.from_bytes(own, "big"), ec.SECP256R1()).exchange(ec.ECDH(), point)


def resumption_psk() -> bytes:
    """What section 3's ticket stands for, and section 4 uses."""
    secret = trace(3).secret(b"res master")
    assert secret is not None
    return expand(secret, "resumption", bytes(2))


def schedule(t: Trace) -> tuple[bytes, bytes, bytes]:
    """The early, handshake and master secrets."""
    early = mac(ZEROS, resumption_psk() if t.section == 4 else ZEROS)
    handshake = mac(expand(early, "derived", EMPTY), shared_secret(t))
    return early, handshake, mac(expand(handshake, "derived", EMPTY), ZEROS)


@every_trace
def test_key_pairs(section: int) -> None:
    for step in trace(section).steps:
        if "private key" not in step.values:
            continue
        private = step.values["private key"]
        if "x25519" in step.what:
            public = x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        else:
            key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1()).public_key()
            public = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        assert public == step.values["public key"]
        hello = "ClientHello" if step.role == "client" else "ServerHello"
        assert any(public in s.values[hello] for s in trace(section).find(step.role, f"construct a {hello}"))


@every_trace
def test_extracted_secrets(section: int) -> None:
    t = trace(section)
    early, handshake, master = schedule(t)
    for role in ("client", "server"):
        for name, secret in (("early", early), ("handshake", handshake), ("master", master)):
            for step in t.find(role, f'extract secret "{name}"'):
                if step.values:
                    assert step.values["secret"] == secret
    assert t.value("server", 'extract secret "handshake"', "IKM") == shared_secret(t)
    assert t.value("server", 'derive secret for handshake "tls13 derived"', "expanded") == expand(
        early, "derived", EMPTY
    )
    assert t.value("server", 'derive secret for master "tls13 derived"', "expanded") == expand(
        handshake, "derived", EMPTY
    )


@every_trace
def test_derived_secrets(section: int) -> None:
    t = trace(section)
    early, handshake, master = schedule(t)
    rows = [
        ("c hs traffic", handshake, transcript(t, SERVER_HELLO)),
        ("s hs traffic", handshake, transcript(t, SERVER_HELLO)),
        ("c ap traffic", master, transcript(t, FINISHED, "server")),
        ("s ap traffic", master, transcript(t, FINISHED, "server")),
        ("exp master", master, transcript(t, FINISHED, "server")),
        ("res master", master, transcript(t, FINISHED, "client")),
    ]
    if section == 4:
        rows += [
            ("c e traffic", early, transcript(t, CLIENT_HELLO)),
            ("e exp master", early, transcript(t, CLIENT_HELLO)),
        ]
    for label, source, digest in rows:
        step = next(s for s in t.steps if s.what == f'derive secret "tls13 {label}"')
        assert step.values == {"hash": digest, "expanded": expand(source, label, digest)}, label
    assert len(rows) == sum(s.what.startswith("derive secret ") and "for" not in s.what for s in t.steps)


@every_trace
def test_finished(section: int) -> None:
    t = trace(section)
    before = {
        "server": (VERIFY, "server"),
        "client": (FINISHED, "server"),
    }  # the last message that each covers
    if section == 4:
        before = {"server": (ENCRYPTED_EXTENSIONS, "server"), "client": (END_OF_EARLY_DATA, "client")}
    if section == 6:
        before["client"] = (VERIFY, "client")
    for role, label in (("server", b"s hs traffic"), ("client", b"c hs traffic")):
        step = next(s for s in t.find(role, 'calculate finished "tls13 finished"') if s.values)
        secret = t.secret(label)
        assert secret is not None
        key = expand(secret, "finished", b"")
        value = mac(key, transcript(t, *before[role]))
        assert step.values == {"expanded": key, "finished": value}
        assert t.message(role, "Finished") == bytes((FINISHED, 0, 0, 32)) + value


def test_ticket() -> None:
    t = trace(3)
    step = t.find("server", "generate resumption secret")[0]
    assert step.values == {"hash": bytes(2), "expanded": resumption_psk()}
    ticket = t.message("server", "NewSessionTicket")
    assert ticket[4:15] == bytes.fromhex("0000001e fad6aac5 02 0000")  # lifetime 30, age_add, nonce
    assert ticket[-8:] == bytes.fromhex("002a 0004 00000400")  # early_data: 1024 bytes
    assert ticket[17:-10] in trace(4).message("client", "ClientHello")
    assert trace(4).value("client", 'extract secret "early"', "IKM") == resumption_psk()


def test_binder() -> None:
    t = trace(4)
    step = t.find("client", "calculate PSK binder")[0]
    hello = t.message("client", "ClientHello")
    digest = hashlib.sha256(hello[:-35]).digest()
    secret = expand(schedule(t)[0], "res binder", EMPTY)
    key = expand(secret, "finished", b"")
    value = mac(key, digest)
    assert step.values == {"binder hash": digest, "PRK": secret, "expanded": key, "finished": value}
    assert hello[-35:] == b"\x00\x21\x20" + value


def test_rsa_key() -> None:
    n = rsa_numbers()
    modulus, e, d = n["modulus (public)"], n["public exponent"], n["private exponent"]
    public = rsa.RSAPublicNumbers(e, modulus)
    key = rsa.RSAPrivateNumbers(
        n["prime1"], n["prime2"], d, n["exponent1"], n["exponent2"], n["coefficient"], public
    ).private_key()  # the library checks that the parts fit each other
    assert pow(pow(5, e, modulus), d, modulus) == 5
    for section in (3, 5, 7):
        certificate = x509.load_der_x509_certificate(leaf(trace(section), "server"))
        assert certificate.public_key() == key.public_key()
        certificate.verify_directly_issued_by(certificate)


def leaf(t: Trace, role: str) -> bytes:
    """The one certificate of a side's Certificate message."""
    raw = t.message(role, "Certificate")
    assert raw[0] == CERTIFICATE
    assert raw[4] == 0
    assert raw[-2:] == b"\0\0"
    certificate = raw[11:-2]
    assert len(certificate) == int.from_bytes(raw[8:11], "big")
    return certificate


@pytest.mark.parametrize(
    ("section", "role"), [(3, "server"), (5, "server"), (6, "server"), (6, "client"), (7, "server")]
)
def test_signatures(section: int, role: str) -> None:
    t = trace(section)
    digest = transcript(t, CERTIFICATE, role)
    content = b" " * 64 + b"TLS 1.3, " + role.encode() + b" CertificateVerify\0" + digest
    raw = t.message(role, "CertificateVerify")
    key = x509.load_der_x509_certificate(leaf(t, role)).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        assert raw[4:6] == b"\x08\x04"
        key.verify(raw[8:], content, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert raw[4:6] == b"\x04\x03"
        key.verify(raw[8:], content, ec.ECDSA(SHA256()))


@every_trace
def test_records_hold_the_messages(section: int) -> None:
    """Every record is opened with keys from the secrets; together they hold the messages and the data, and no more."""
    t = trace(section)
    secrets = {"client": [b"c hs traffic", b"c ap traffic"], "server": [b"s hs traffic", b"s ap traffic"]}
    if section == 4:
        secrets["client"].insert(0, b"c e traffic")
    hellos = {"client": "ClientHello", "server": "ServerHello"}
    last_hello = int(section == 5)  # the first two pass without a change of keys
    turns = {
        role: [t.message(role, hello, last_hello), t.message(role, "Finished")]
        for role, hello in hellos.items()
    }
    if section == 4:
        turns["client"].append(t.message("client", "EndOfEarlyData"))
    keys: dict[str, bytes | None] = {"client": None, "server": None}
    numbers = {"client": 0, "server": 0}
    handshake = {"client": b"", "server": b""}
    for step in t.sent():
        role, record, secret = step.role, step.values["complete record"], keys[step.role]
        assert len(record) == 5 + int.from_bytes(record[3:5], "big")
        if record[0] == CHANGE_CIPHER_SPEC:
            assert record == b"\x14\x03\x03\0\x01\x01"
            continue
        content_type, plain = record[0], record[5:]
        if secret is not None:
            content_type, plain = opened(secret, numbers[role], record)
            numbers[role] += 1
        if content_type != HANDSHAKE:
            assert plain == step.values["payload"]
            continue
        handshake[role] += plain
        if any(plain.endswith(message) for message in turns[role]):
            keys[role], numbers[role] = t.secret(secrets[role].pop(0)), 0
    for role, found in handshake.items():
        assert found == b"".join(raw for who, raw in t.messages() if who == role)
    assert not any(secrets.values())


def opened(secret: bytes, number: int, record: bytes) -> tuple[int, bytes]:
    """The inner content type and the content of a record (RFC 8446 §5.2)."""
    key, iv = expand(secret, "key", b"", 16), expand(secret, "iv", b"", 12)
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    inner = AESGCM(key).decrypt(nonce, record[5:], record[:5])
    return inner[-1], inner[:-1]


@every_trace
def test_traffic_keys(section: int) -> None:
    """The keys that are printed come from the secrets that are printed."""
    t = trace(section)
    secrets = [s.values["expanded"] for s in t.steps if s.what.startswith("derive secret") and s.values]
    possible = {(expand(s, "key", b"", 16), expand(s, "iv", b"", 12)) for s in secrets}
    printed = [s.values for s in t.steps if "traffic keys for" in s.what and s.values]
    assert len(printed) == (5 if section == 4 else 4)
    for values in printed:
        assert (values["key expanded"], values["iv expanded"]) in possible
