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


# RFC 8448 §3, "Simple 1-RTT Handshake". The shared secret, the transcript hashes (the context of
# each HkdfLabel that the document prints) and what comes of them.
SHARED = h("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
HASH_TO_SERVER_HELLO = h("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8")
HASH_TO_SERVER_FINISHED = h("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13")
HASH_TO_CLIENT_FINISHED = h("209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d")


def test_simple_handshake_of_rfc8448() -> None:
    schedule = KeySchedule("sha256")
    schedule.start()
    assert schedule.secret.hex() == "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"
    schedule.enter_handshake(SHARED)
    assert schedule.secret.hex() == "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
    client = schedule.derive(SecretLabel.CLIENT_HANDSHAKE_TRAFFIC, HASH_TO_SERVER_HELLO)
    assert client.hex() == "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"
    server = schedule.derive(SecretLabel.SERVER_HANDSHAKE_TRAFFIC, HASH_TO_SERVER_HELLO)
    assert server.hex() == "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
    assert [part.hex() for part in traffic_keys("sha256", server, 16, 12)] == [
        "3fce516009c21727d0f2e4e86ee403bc",
        "5d313eb2671276ee13000b30",
    ]
    assert [part.hex() for part in traffic_keys("sha256", client, 16, 12)] == [
        "dbfaa693d1762c5b666af5d950258d01",
        "5bd3c71b836e0b76bb73265f",
    ]
    assert (
        finished_key("sha256", server).hex()
        == "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"
    )
    schedule.enter_master()
    assert schedule.secret.hex() == "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"
    client = schedule.derive(SecretLabel.CLIENT_APPLICATION_TRAFFIC, HASH_TO_SERVER_FINISHED)
    assert client.hex() == "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
    server = schedule.derive(SecretLabel.SERVER_APPLICATION_TRAFFIC, HASH_TO_SERVER_FINISHED)
    assert server.hex() == "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"
    assert [part.hex() for part in traffic_keys("sha256", server, 16, 12)] == [
        "9f02283b6c9c07efc26bb9f2ac92e356",
        "cf782b88dd83549aadf1e984",
    ]
    assert [part.hex() for part in traffic_keys("sha256", client, 16, 12)] == [
        "17422dda596ed5d9acd890e3c63f5051",
        "5b78923dee08579033e523d9",
    ]
    secret = schedule.derive(SecretLabel.EXPORTER, HASH_TO_SERVER_FINISHED)
    assert secret.hex() == "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50"
    secret = schedule.derive(SecretLabel.RESUMPTION, HASH_TO_CLIENT_FINISHED)
    assert secret.hex() == "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c"
    # §3, the ticket: nonce 00 00; §4 then uses this PSK.
    psk = resumption_psk("sha256", secret, h("0000"))
    assert psk.hex() == "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3"


# RFC 8448 §4, "Resumed 0-RTT Handshake".
PSK = h("4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3")


def test_resumed_handshake_of_rfc8448() -> None:
    schedule = KeySchedule("sha256")
    schedule.start(PSK)
    assert schedule.secret.hex() == "9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c"
    key = binder_key("sha256", PSK)
    assert key == schedule.derive(SecretLabel.RESUMPTION_BINDER, hashlib.sha256().digest())
    assert key.hex() == "69fe131a3bbad5d63c64eebcc30e395b9d8107726a13d074e389dbc8a4e47256"
    prefix_hash = h("63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14")
    assert (
        finished_key("sha256", key).hex()
        == "5588673e72cb59c87d220caffe94f2dea9a3b1609f7d50e90a48227db9ed7eaa"
    )
    assert (
        finished_mac("sha256", key, prefix_hash).hex()
        == "3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d"
    )
    hello_hash = h("08ad0fa05d7c7233b1775ba2ff9f4c5b8b59276b7f227f13a976245f5d960913")
    early = schedule.derive(SecretLabel.CLIENT_EARLY_TRAFFIC, hello_hash)
    assert early.hex() == "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62"
    early_exporter = schedule.derive(SecretLabel.EARLY_EXPORTER, hello_hash)
    assert early_exporter.hex() == "b2026866610937d7423e5be90862ccf24c0e6091186d34f812089ff5be2ef7df"
    assert [part.hex() for part in traffic_keys("sha256", early, 16, 12)] == [
        "920205a5b7bf2115e6fc5c2942834f54",
        "6d475f0993c8e564610db2b9",
    ]


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
