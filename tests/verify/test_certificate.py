"""Certificates as they come: well-formed, odd, damaged, not certificates at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from handglass.verify import Certificate, Crl
from verify.support import build, openssl

needs_program = pytest.mark.skipif(
    not openssl.version().startswith("3.0."), reason="no openssl 3.0 is installed"
)
KEY = build.ec_key("x")
NAME = build.name("C=XX", "O=Lab", "CN=server.test")


def certificate(**options: object) -> Certificate:
    return Certificate(build.certificate(NAME, KEY, None, **options).der)  # type: ignore[arg-type]  # as given


def test_what_it_says() -> None:
    built = build.certificate(NAME, KEY, None, [build.basic_constraints(True, 3)], serial=255)
    read = Certificate(built.der)
    assert read.readable
    assert read.problems == ()
    assert (read.version, read.serial) == (3, 255)
    assert str(read.subject) == str(read.issuer) == "C = XX, O = Lab, CN = server.test"
    assert read.key_text == "PKEY: id-ecPublicKey, 256 (bit); sigalg: ecdsa-with-SHA256"
    assert read.validity_text == "NotBefore: Oct  7 08:00:00 2026 GMT; NotAfter: Apr 25 08:00:00 2027 GMT"
    assert read.spki == KEY.spki
    assert read.facts.ca
    assert read.facts.path_length == 3
    assert read.facts.self_signed
    assert repr(read) == "<Certificate C = XX, O = Lab, CN = server.test>"
    assert read == Certificate(built.der)
    assert len({read, Certificate(built.der)}) == 1


KEYS = {
    "rsaEncryption, 1024 (bit); sigalg: RSA-SHA256": build.rsa_key(1024),
    "id-ecPublicKey, 384 (bit); sigalg: ecdsa-with-SHA384": build.ec_key("a", ec.SECP384R1),
    "id-ecPublicKey, 521 (bit); sigalg: ecdsa-with-SHA256": build.ec_key("b", ec.SECP521R1),
    "id-ecPublicKey, 256 (bit); sigalg: ecdsa-with-SHA256": build.ec_key("c", ec.BrainpoolP256R1),
    "ED25519, 256 (bit); sigalg: ED25519": build.ed25519_key("d"),
}


@pytest.mark.parametrize("text", KEYS)
def test_keys_as_s_client_prints_them(text: str) -> None:
    read = Certificate(build.certificate(NAME, KEYS[text]).der)
    assert read.key_text == f"PKEY: {text}"
    assert read.problems == ()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"raw_serial": build.integer(-5)}, "the serial number is negative"),
        ({"serial": 0}, "the serial number is zero"),
        ({"raw_serial": build.integer(1 << 170)}, "the serial number is 22 bytes long, 20 are allowed"),
        ({"version": 7}, "version 7 does not exist"),
        ({"inner": build.algorithm(build.SHA1_ECDSA)}, "named differently inside and outside"),
        ({"outer": build.algorithm("1.2.3.4")}, "the signature algorithm 1.2.3.4 is unknown"),
        (
            {"spki": build.seq(build.algorithm("1.2.3.4"), build.bits(b"x"))},
            "no public key can be made of the 1.2.3.4",
        ),
        ({"spki": build.seq()}, "no public key can be made of the unreadable key"),
        (
            {"validity": build.seq(build.encode(0x17, b"260101"), build.time(build.NOW))},
            "notBefore is no time of a certificate: b'260101'",
        ),
        (
            {"validity": build.seq(build.time(build.NOW), build.encode(0x18, b"20261301000000Z"))},
            "notAfter is no time of a certificate: b'20261301000000Z'",
        ),
        ({"extensions": [build.key_usage(), build.key_usage()]}, "the extension 2.5.29.15 stands 2 times"),
        ({"extensions": [build.extension("2.5.29.19", b"\x04\x00")]}, "the extension 2.5.29.19 is malformed"),
        ({"extensions": [b"\x04\x00"]}, "extensions: extension: tag 0x04 where 0x30 belongs"),
        ({"tail": b"\x04\x00"}, "certificate: 4 parts where three belong"),
    ],
)
def test_malformed_ones_are_read(options: dict[str, object], problem: str) -> None:
    read = certificate(**options)
    assert any(problem in each for each in read.problems), read.problems
    assert isinstance(read.key_text + read.validity_text + str(read.subject), str)


def test_bytes_after_the_end() -> None:
    read = Certificate(build.certificate(NAME, KEY).der + b"xyz")
    assert read.problems == ("3 bytes after the end",)
    assert str(read.subject) == "C = XX, O = Lab, CN = server.test"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"garbage", b"\x30\x80\x00\x00", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00", bytes(4)],
)
def test_no_certificate_at_all(data: bytes) -> None:
    read = Certificate(data)
    assert not read.readable
    assert read.problems
    assert str(read.subject) == ""
    assert read.key_text == "PKEY: unreadable, 0 (bit); sigalg: 0.0"
    assert read.facts.invalid
    assert Crl(data).problems
    assert not Crl(data).usable


def test_too_large() -> None:
    assert not Certificate(b"\x30\x84\x00\x20\x00\x00" + bytes(1 << 21)).readable


def test_lengths_that_are_not_shortest() -> None:
    der = build.certificate(NAME, KEY).der
    read = Certificate(b"\x30\x83\x00" + der[2:4] + der[4:])
    assert read.readable
    assert "a length is not in its shortest form at offset 0" in read.problems


TIMES = [
    (0x17, b"2601010000Z"),
    (0x17, b"260101000000+0130"),
    (0x17, b"260101000000-0130"),
    (0x17, b"2601010000"),
    (0x17, b"269901000000Z"),
    (0x18, b"202601010000Z"),
    (0x18, b"20260101000000.125Z"),
    (0x18, b"20260101000000"),
    (0x18, b"20260101000000+9999"),
    (0x18, b"garbage"),
]


@needs_program
@pytest.mark.parametrize(("tag", "raw"), TIMES)
def test_odd_times_are_printed_like_the_program(tag: int, raw: bytes, tmp_path: Path) -> None:
    validity = build.seq(build.encode(tag, raw), build.time(build.NOW))
    built = build.certificate(NAME, KEY, validity=validity)
    path = tmp_path / "x.pem"
    path.write_text(built.pem)
    run = subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-startdate"],
        capture_output=True,
        text=True,
        check=False,
    )
    read = Certificate(built.der)
    assert read.not_before.seconds is None
    assert run.stdout.removeprefix("notBefore=").strip() == read.not_before.text


@needs_program
def test_printed_like_the_program(tmp_path: Path) -> None:
    """Dates, serial number and names of the program beside ours."""
    for start in (-900_000_000, 0, 951_782_400, 2_524_607_999, 2_524_608_000, 4_102_444_800):
        built = build.certificate(NAME, KEY, start=start, end=start + 86400)
        path = tmp_path / "x.pem"
        path.write_text(built.pem)
        run = subprocess.run(
            ["openssl", "x509", "-in", str(path), "-noout", "-dates"],
            capture_output=True,
            text=True,
            check=True,
        )
        read = Certificate(built.der)
        expected = f"notBefore={read.not_before.text}\nnotAfter={read.not_after.text}\n"
        assert run.stdout == expected
