"""The traces themselves: every tag fits, so that every digit is the RFC's."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rfc8448.traces import CLIENT, NAMES, SERVER, load, opened

# (client's, server's) handshake messages by their types.
MESSAGES = {
    "simple_1rtt": ([1, 20], [2, 8, 11, 15, 20, 4]),
    "resumed_0rtt": ([1, 5, 20], [2, 8, 20]),
    "hello_retry_request": ([1, 1, 20], [2, 2, 8, 11, 15, 20]),
    "client_authentication": ([1, 11, 15, 20], [2, 8, 13, 11, 15, 20]),
    "compatibility_mode": ([1, 20], [2, 8, 11, 15, 20]),
}
CLOSE_NOTIFY = (21, b"\1\0")
DATA = bytes(range(50))


@pytest.mark.parametrize("name", NAMES)
def test_every_record_opens(name: str) -> None:
    trace = opened(name)
    types = [[message[0] for message in trace.messages(side)] for side in (CLIENT, SERVER)]
    assert tuple(types) == MESSAGES[name]
    for side in (CLIENT, SERVER):
        assert [content[1:] for content in trace.contents if content[0] == side][-1] == CLOSE_NOTIFY


@pytest.mark.parametrize("name", ["simple_1rtt", "resumed_0rtt"])
def test_application_data(name: str) -> None:
    data = [content[2] for content in opened(name).contents if content[1] == 23]
    assert data[-2:] == [DATA, DATA]
    assert data[:-2] == ([b"ABCDEF"] if name == "resumed_0rtt" else [])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["client", "server"])
def test_private_keys_fit_the_hellos(name: str, side: str) -> None:
    trace = load(name)
    sent = trace.sent_by(CLIENT if side == "client" else SERVER)
    assert trace.values[f"{side} random"] in sent
    if private := trace.values.get(f"{side} x25519"):
        assert x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw() in sent
    if private := trace.values.get(f"{side} secp256r1"):
        key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
        assert key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) in sent
