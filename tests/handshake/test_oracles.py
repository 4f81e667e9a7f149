"""Where a difference in behaviour would tell an attacker something, there is none."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.messages.handshake import ClientKeyExchangeRSA, frame
from handglass.registry.code_points import CipherSuite, HandshakeType, ProtocolVersion
from support.engines import Pair, connect, identity, pair, reason_of

TLS12 = ProtocolVersion.TLS1_2
RSA_SUITE = CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256


def altered(change: Callable[[bytes], bytes]) -> Pair:
    """Run an RSA key exchange whose encrypted premaster secret is changed on its way; all else goes on."""
    made = pair(
        ClientConfig(versions=(TLS12,), suites=(RSA_SUITE,)),
        ServerConfig(identities=(identity("rsa"),), suites=(RSA_SUITE,)),
    )
    channel = made.client._channel
    send = channel.send_handshake

    def tap(raw: bytes) -> None:
        if raw[0] == HandshakeType.CLIENT_KEY_EXCHANGE:
            secret = ClientKeyExchangeRSA.decode(raw[4:]).encrypted_pre_master_secret
            raw = frame(ClientKeyExchangeRSA(change(secret)))
        send(raw)

    channel.send_handshake = tap  # type: ignore[method-assign]  # the change
    return made.start()


def encrypted(plain: bytes) -> Callable[[bytes], bytes]:
    """Encrypt a whole block, its padding included, without any padding of its own."""
    numbers = identity("rsa").key.public_key().public_numbers()  # type: ignore[union-attr]  # it is an RSA key

    def change(_: bytes) -> bytes:
        number = pow(int.from_bytes(plain, "big"), numbers.e, numbers.n)  # type: ignore[union-attr]  # as above
        return number.to_bytes(256, "big")

    return change


FILLER = b"\7" * 205
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "right padding, other secret": encrypted(b"\0\2" + FILLER + b"\0\3\3" + b"s" * 46),
    "wrong version": encrypted(b"\0\2" + FILLER + b"\0\3\2" + b"s" * 46),
    "wrong first byte": encrypted(b"\1\2" + FILLER + b"\0\3\3" + b"s" * 46),
    "wrong block type": encrypted(b"\0\1" + FILLER + b"\0\3\3" + b"s" * 46),
    "zero in the padding": encrypted(b"\0\2" + b"\7\0" + FILLER[2:] + b"\0\3\3" + b"s" * 46),
    "no zero at all": encrypted(b"\0\2" + FILLER + b"\7\3\3" + b"s" * 46),
    "secret too short": encrypted(b"\0\2" + FILLER + b"\7\0\3\3" + b"s" * 45),
    "secret too long": encrypted(b"\0\2" + FILLER[1:] + b"\0\3\3" + b"s" * 47),
    "all zero": lambda secret: bytes(len(secret)),
    "larger than the modulus": lambda secret: b"\xff" * len(secret),
    "too short": lambda secret: secret[:-1],
    "too long": lambda secret: secret + b"\0",
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_rsa_premaster_secret(change: str) -> None:
    """Whatever is wrong with the secret, the handshake fails at the same place in the same way (RFC 5246 §7.4.7.1)."""
    made = altered(CHANGES[change])
    assert reason_of(made.server) == "BAD_RECORD_MAC"
    assert "expected" not in str(made.server.error)


@pytest.mark.parametrize("encrypt_then_mac", [True, False], ids=["EtM", "MtE"])
def test_cbc_records(encrypt_then_mac: bool) -> None:
    """A change of any byte of a CBC record, or of its length, is the same error (RFC 5246 §6.2.3.2)."""
    suite = CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
    config = ClientConfig(versions=(TLS12,), suites=(suite,), encrypt_then_mac=encrypt_then_mac)
    source = random.Random(5)
    for _ in range(60):
        made = connect(config, ServerConfig(identities=(identity("p256"),), suites=(suite,)))
        made.client.send(b"data")
        record = made.client.data_to_send()
        if source.random() < 0.5:
            record[source.randrange(5, len(record))] ^= 1 << source.randrange(8)
        else:
            del record[source.randrange(6, len(record)) :]
            record[3:5] = (len(record) - 5).to_bytes(2, "big")
        made.server.receive(record)
        assert reason_of(made.server) == "BAD_RECORD_MAC"
