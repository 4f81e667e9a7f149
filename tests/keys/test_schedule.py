"""The TLS 1.3 key schedule against RFC 5869 and RFC 8448."""

from __future__ import annotations

import hashlib

import pytest

from handglass.keys.labels import DTLS13_PREFIX, SecretLabel, Stage
from handglass.keys.schedule import (
    KeySchedule,
    binder_key,
    exporter,
    finished_key,
    finished_mac,
    hkdf_expand,
    hkdf_expand_label,
    hkdf_extract,
    next_traffic_secret,
    resumption_psk,
    traffic_keys,
)
from support import rfc8448

h = bytes.fromhex

# RFC 5869 appendix A, cases 1 to 5 and 7: hash, IKM, salt, info, L, PRK, OKM
RFC5869 = [
    (
        "sha256",
        h("0b" * 22),
        h("000102030405060708090a0b0c"),
        h("f0f1f2f3f4f5f6f7f8f9"),
        42,
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        "sha256",
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        82,
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        "sha256",
        h("0b" * 22),
        b"",
        b"",
        42,
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
    (
        "sha1",
        h("0b" * 11),
        h("000102030405060708090a0b0c"),
        h("f0f1f2f3f4f5f6f7f8f9"),
        42,
        "9b6c18c432a7bf8f0e71c8eb88f4b30baa2ba243",
        "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896",
    ),
]


@pytest.mark.parametrize("row", RFC5869)
def test_hkdf_of_rfc5869(row: tuple[str, bytes, bytes, bytes, int, str, str]) -> None:
    name, ikm, salt, info, length, prk, okm = row
    extracted = hkdf_extract(name, salt, ikm)
    assert extracted.hex() == prk
    assert hkdf_expand(name, extracted, info, length).hex() == okm


def test_hkdf_has_an_upper_limit() -> None:
    assert len(hkdf_expand("sha256", bytes(32), b"", 255 * 32)) == 255 * 32
    with pytest.raises(ValueError, match="at most 8160"):
        hkdf_expand("sha256", bytes(32), b"", 255 * 32 + 1)


@pytest.mark.parametrize("section", rfc8448.TRACES)
def test_secrets_of_rfc8448(section: int) -> None:
    """The shared secret and the transcript hashes that each trace states, and what comes of them."""
    trace = rfc8448.trace(section)

    def derived(label: SecretLabel) -> bytes:
        step = next(s for s in trace.steps if s.what == f'derive secret "tls13 {label.derivation.decode()}"')
        secret = schedule.derive(label, step.values["hash"])
        assert secret == step.values["expanded"], label
        return secret

    def keys(role: str, way: str, kind: str) -> tuple[bytes, bytes]:
        values = trace.find(role, f"derive {way} traffic keys for {kind} data")[0].values
        return values["key expanded"], values["iv expanded"]

    resumed = section == 4
    schedule = KeySchedule("sha256")
    schedule.start(PSK if resumed else None)
    assert schedule.secret == trace.value(
        "client" if resumed else "server", 'extract secret "early"', "secret"
    )
    if resumed:
        early = derived(SecretLabel.CLIENT_EARLY_TRAFFIC)
        assert traffic_keys("sha256", early, 16, 12) == keys("client", "write", "early application")
        derived(SecretLabel.EARLY_EXPORTER)
    schedule.enter_handshake(trace.value("server", 'extract secret "handshake"', "IKM"))
    assert schedule.secret == trace.value("server", 'extract secret "handshake"', "secret")
    client, server = (
        derived(SecretLabel.CLIENT_HANDSHAKE_TRAFFIC),
        derived(SecretLabel.SERVER_HANDSHAKE_TRAFFIC),
    )
    assert traffic_keys("sha256", server, 16, 12) == keys("server", "write", "handshake")
    own = ("client", "write") if resumed else ("server", "read")
    assert traffic_keys("sha256", client, 16, 12) == keys(*own, "handshake")
    assert finished_key("sha256", server) == trace.value("server", "calculate finished", "expanded")
    schedule.enter_master()
    assert schedule.secret == trace.value("server", 'extract secret "master"', "secret")
    client, server = (
        derived(SecretLabel.CLIENT_APPLICATION_TRAFFIC),
        derived(SecretLabel.SERVER_APPLICATION_TRAFFIC),
    )
    assert traffic_keys("sha256", server, 16, 12) == keys("server", "write", "application")
    assert traffic_keys("sha256", client, 16, 12) == keys("client", "write", "application")
    derived(SecretLabel.EXPORTER)
    resumption = derived(SecretLabel.RESUMPTION)
    if section == 3:
        assert resumption_psk("sha256", resumption, bytes(2)) == PSK


PSK = rfc8448.trace(3).value("server", "generate resumption secret", "expanded")


def test_binder_of_rfc8448() -> None:
    """RFC 8448 §4, {client} calculate PSK binder."""
    values = rfc8448.trace(4).find("client", "calculate PSK binder")[0].values
    schedule = KeySchedule("sha256")
    schedule.start(PSK)
    key = binder_key("sha256", PSK)
    assert key == schedule.derive(SecretLabel.RESUMPTION_BINDER, hashlib.sha256().digest())
    assert key == values["PRK"]
    assert finished_key("sha256", key) == values["expanded"]
    assert finished_mac("sha256", key, values["binder hash"]) == values["finished"]


def test_stages_cannot_be_mixed_up() -> None:
    schedule = KeySchedule("sha256")
    with pytest.raises(ValueError, match="not derived"):
        schedule.derive(SecretLabel.CLIENT_EARLY_TRAFFIC, bytes(32))
    with pytest.raises(ValueError, match="out of order"):
        schedule.enter_master()
    schedule.start()
    with pytest.raises(ValueError, match="out of order"):
        schedule.start()
    with pytest.raises(ValueError, match="not derived"):
        schedule.derive(SecretLabel.EXPORTER, bytes(32))
    schedule.enter_handshake()
    assert schedule.stage is Stage.HANDSHAKE
    with pytest.raises(ValueError, match="not derived"):
        schedule.derive(SecretLabel.MASTER_SECRET, bytes(32))


def test_no_secret_in_repr() -> None:
    schedule = KeySchedule("sha384")
    assert repr(schedule) == "KeySchedule('sha384', stage='not started')"
    schedule.start(b"\x5a" * 48)
    assert repr(schedule) == "KeySchedule('sha384', stage='early')"


def test_traffic_update_and_exporter_are_expand_labels() -> None:
    """RFC 8446 §7.2 and §7.5, spelled out with the HkdfLabel bytes written by hand."""
    secret = bytes(range(32))
    label = b"\x00\x20" + b"\x11" + b"tls13 traffic upd" + b"\x00"
    assert next_traffic_secret("sha256", secret) == hkdf_expand("sha256", secret, label, 32)
    empty = hashlib.sha256().digest()
    own = hkdf_expand("sha256", secret, b"\x00\x20\x0btls13 hello" + b"\x20" + empty, 32)
    context = hashlib.sha256(b"ctx").digest()
    expected = hkdf_expand("sha256", own, b"\x00\x64\x0etls13 exporter" + b"\x20" + context, 100)
    assert exporter("sha256", secret, b"hello", b"ctx", 100) == expected


def test_key_longer_than_the_hash() -> None:
    secret = bytes(range(32))
    key, iv = traffic_keys("sha256", secret, 48, 12)
    assert key == hkdf_expand("sha256", secret, b"\x00\x30\x09tls13 key\x00", 48)
    assert iv == hkdf_expand("sha256", secret, b"\x00\x0c\x08tls13 iv\x00", 12)


def test_dtls_prefix_changes_the_label_only() -> None:
    secret = bytes(range(32))
    # RFC 9147 §5.9: "dtls13" without the space.
    expected = hkdf_expand("sha256", secret, b"\x00\x10\x09dtls13key\x00", 16)
    assert hkdf_expand_label("sha256", secret, b"key", b"", 16, prefix=DTLS13_PREFIX) == expected
    assert traffic_keys("sha256", secret, 16, 12, prefix=DTLS13_PREFIX)[0] == expected


def test_label_too_long() -> None:
    assert len(hkdf_expand_label("sha256", bytes(32), b"x" * 249, b"", 16)) == 16
    with pytest.raises(ValueError, match="at most 255"):
        hkdf_expand_label("sha256", bytes(32), b"x" * 250, b"", 16)


def test_every_secret_has_one_label_of_each_kind() -> None:
    derivations = [label.derivation for label in SecretLabel]
    logged = [label.key_log for label in SecretLabel if label.key_log]
    assert len(set(derivations)) == len(derivations)
    assert len(set(logged)) == len(logged)
    assert SecretLabel.CLIENT_APPLICATION_TRAFFIC.key_log == "CLIENT_TRAFFIC_SECRET_0"
    assert SecretLabel.MASTER_SECRET.key_log == "CLIENT_RANDOM"
