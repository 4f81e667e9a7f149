"""CBC records: both orders against their RFCs, every padding, and that no failure tells what failed."""

from __future__ import annotations

import hmac
from random import Random

import pytest

from handglass.crypto.cbc import cbc
from handglass.crypto.hashes import Buffer, Mac
from handglass.record import CbcEncryptThenMac, CbcMacThenEncrypt
from handglass.registry.errors import PeerError
from handglass.registry.reasons import BAD_RECORD_MAC

KEY, MAC_KEY = bytes(range(16)), bytes(range(20))
CIPHER = cbc("AES_128_CBC", KEY)
DATA = 23


def mac_first() -> CbcMacThenEncrypt:
    return CbcMacThenEncrypt(CIPHER, "sha1", MAC_KEY, Random(1).randbytes)


def encryption_first() -> CbcEncryptThenMac:
    return CbcEncryptThenMac(CIPHER, "sha1", MAC_KEY, Random(1).randbytes)


def mac_of(sequence: int, length: int, data: bytes) -> bytes:
    prefix = sequence.to_bytes(8, "big") + b"\x17\x03\x03" + length.to_bytes(2, "big")
    return hmac.digest(MAC_KEY, prefix + data, "sha1")


def record(body: bytes) -> bytes:
    return b"\x17\x03\x03" + len(body).to_bytes(2, "big") + body


def opened(protection: CbcMacThenEncrypt | CbcEncryptThenMac, whole: bytes) -> tuple[int, bytes]:
    return protection.open(whole[:5], memoryview(whole)[5:])


def refused(protection: CbcMacThenEncrypt | CbcEncryptThenMac, whole: bytes) -> str:
    """Open what must not open; give all that an observer could see of the error."""
    with pytest.raises(PeerError) as caught:
        opened(protection, whole)
    assert caught.value.reason is BAD_RECORD_MAC
    return f"{caught.value} {caught.value.detail} {caught.value.__cause__} {caught.value.__context__}"


def test_mac_then_encrypt_is_what_the_rfc_says() -> None:
    """RFC 5246 §6.2.3.2, with the IV from the source of randomness."""
    out = bytearray()
    mac_first().seal(DATA, b"hello", out)
    iv = Random(1).randbytes(16)
    plain = b"hello" + mac_of(0, 5, b"hello") + bytes((6,)) * 7
    assert out == record(iv + CIPHER.encrypt(iv, plain))


def test_encrypt_then_mac_is_what_the_rfc_says() -> None:
    """RFC 7366 §3: the length in the MAC is that of IV and ciphertext."""
    out = bytearray()
    encryption_first().seal(DATA, b"hello", out)
    iv = Random(1).randbytes(16)
    encrypted = iv + CIPHER.encrypt(iv, b"hello" + bytes((10,)) * 11)
    assert out == record(encrypted + mac_of(0, 32, encrypted))


def mac_first_record(data: bytes, tail: bytes) -> bytes:
    """Encrypt content, its MAC and any tail where the padding belongs."""
    return record(bytes(16) + CIPHER.encrypt(bytes(16), data + mac_of(0, len(data), data) + tail))


def encryption_first_record(plain: bytes) -> bytes:
    encrypted = bytes(16) + CIPHER.encrypt(bytes(16), plain)
    return record(encrypted + mac_of(0, len(encrypted), encrypted))


@pytest.mark.parametrize("count", range(256))
def test_every_length_of_padding(count: int) -> None:
    """RFC 5246 §6.2.3.2: up to 255 bytes, each the padding length; none of it may be wrong."""
    padding = bytes((count,)) * (count + 1)
    data = b"x" * (-(20 + len(padding)) % 16)
    assert opened(mac_first(), mac_first_record(data, padding)) == (DATA, data)
    rest = b"x" * (-len(padding) % 16)
    assert opened(encryption_first(), encryption_first_record(rest + padding)) == (DATA, rest)
    for position in {0, count // 2, count - 1} if count else set():
        wrong = bytearray(padding)
        wrong[position] ^= 0x55
        refused(mac_first(), mac_first_record(data, bytes(wrong)))
        refused(encryption_first(), encryption_first_record(rest + bytes(wrong)))


def test_padding_longer_than_the_record() -> None:
    data = b"x" * 11
    assert opened(mac_first(), mac_first_record(data, b"\0")) == (DATA, data)
    for last in (32 - 20, 31, 32, 200, 255):
        refused(mac_first(), mac_first_record(data, bytes((last,))))
    for last in (16, 31, 200, 255):
        refused(encryption_first(), encryption_first_record(bytes((last,)) * 16))


def test_all_failures_look_the_same() -> None:
    """Padding, MAC, length: one answer, without a cause that names which."""
    good = bytearray()
    mac_first().seal(DATA, b"hello", good)
    wrong_mac, wrong_padding = bytearray(good), bytearray(good)
    wrong_mac[5 + 16] ^= 1
    wrong_padding[-1] ^= 1
    seen = {
        refused(mac_first(), bytes(wrong_mac)),
        refused(mac_first(), bytes(wrong_padding)),
        refused(mac_first(), mac_first_record(b"x" * 11, b"\xff")),
        refused(mac_first(), record(bytes(good[5:-1]))),
        refused(mac_first(), record(bytes(good[5:-16]))),
        refused(mac_first(), record(b"")),
    }
    assert len(seen) == 1


def test_the_mac_is_computed_whatever_the_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5246 §6.2.3.2: also when the padding is wrong, and then over the data as if there were none."""
    lengths: list[int] = []
    original = Mac.__call__

    def counting(self: Mac, *parts: Buffer) -> bytes:
        lengths.append(sum(map(len, parts[1:])))
        return original(self, *parts)

    whole = mac_first_record(b"x" * 11, b"\xff")
    monkeypatch.setattr(Mac, "__call__", counting)
    refused(mac_first(), whole)
    assert lengths == [11]


def test_encrypt_then_mac_looks_at_the_mac_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7366 §3: nothing is decrypted that was not authenticated."""
    out = bytearray()
    encryption_first().seal(DATA, b"hello", out)
    out[-1] ^= 1
    monkeypatch.setattr(type(CIPHER), "decrypt_after_iv", lambda *_: pytest.fail("it was decrypted"))
    refused(encryption_first(), bytes(out))


def test_each_record_has_its_own_iv() -> None:
    out, protection = bytearray(), mac_first()
    protection.seal(DATA, b"same", out)
    protection.seal(DATA, b"same", out)
    size = len(out) // 2
    assert out[5:21] != out[size + 5 : size + 21]
