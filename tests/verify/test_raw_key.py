"""The judgement of raw public keys: expected or not, strong enough or not."""

from __future__ import annotations

import pytest

from handglass.crypto.containers import public_key_info_of_certificate
from handglass.handshake.state import PeerChain
from handglass.net.verification import Verification
from handglass.registry.errors import PeerError
from handglass.verify import Kind, VerifyCode, VerifyParams, verify_raw_key
from handglass.verify.dane import DaneRecords, TlsaRecord, key_record, parse_record
from support.engines import identity

KEY = public_key_info_of_certificate(identity("p256").certificate).raw
OTHER = public_key_info_of_certificate(identity("p384").certificate).raw
WEAK = VerifyParams(auth_level=4)


@pytest.mark.parametrize(
    ("expected", "params", "codes"),
    [
        (True, VerifyParams(), []),
        (False, VerifyParams(), [VerifyCode.RPK_UNTRUSTED]),
        (True, WEAK, [VerifyCode.EE_KEY_TOO_SMALL]),
        (False, WEAK, [VerifyCode.EE_KEY_TOO_SMALL, VerifyCode.RPK_UNTRUSTED]),
    ],
)
def test_outcomes(expected: bool, params: VerifyParams, codes: list[VerifyCode]) -> None:
    """Every problem is told; the last one is the outcome."""
    result = verify_raw_key(KEY, params, expected=expected)
    assert [event.code for event in result.problems] == codes
    assert result.code == (codes[-1] if codes else VerifyCode.OK)
    assert result.ok is not bool(codes)
    assert result.events[-1].kind is Kind.CHECKED
    ended = verify_raw_key(
        KEY, params, expected=expected, decide=lambda event: event.kind is not Kind.PROBLEM
    )
    assert ended.finished is not bool(codes)
    assert [event.code for event in ended.problems] == codes[:1]


@pytest.mark.parametrize(
    "key", [b"", b"\x30\0", KEY[:-1], b"\xff" * 50], ids=["empty", "no fields", "cut", "no DER"]
)
def test_bytes_that_are_no_key(key: bytes) -> None:
    """They are judged, not raised."""
    result = verify_raw_key(key, WEAK, expected=False)
    assert result.code == VerifyCode.RPK_UNTRUSTED
    assert "cannot be read" in result.problems[-1].detail


@pytest.mark.parametrize(
    ("record", "matches"),
    [
        (key_record(KEY), True),
        (key_record(OTHER), False),
        (parse_record("2 1 0 " + KEY.hex()), False),
        (parse_record("3 0 0 " + identity("p256").certificate.hex()), False),
    ],
)
def test_records(record: TlsaRecord, matches: bool) -> None:
    """Only those of usage 3 for a key can match where no certificate is shown (RFC 7671 §5.1)."""
    judge = DaneRecords([record]).judge()
    assert judge.match_raw_key(KEY) is matches
    if matches:
        assert judge.matched is not None
        assert judge.matched.text == f"DANE TLSA 3 1 0 ...{KEY[-12:].hex()} matched the peer raw public key"


def test_verification_of_streams() -> None:
    """A key is believed only if it was named; nothing else vouches for it."""
    shown = PeerChain((), is_server=True, public_key=KEY)
    Verification(expected_keys=[OTHER, KEY])(shown)
    for keys in ([], [OTHER]):
        with pytest.raises(PeerError, match="raw public key untrusted"):
            Verification(expected_keys=keys)(shown)
