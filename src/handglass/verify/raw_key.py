"""The judgement of a raw public key (RFC 7250 §6): it says nothing of itself, so somebody must have vouched for it.

The outcomes are those of OpenSSL 3.2 and later.
"""

from __future__ import annotations

from .codes import VerifyCode
from .keys import PublicKey
from .params import VerifyParams
from .result import Decide, Event, Kind, VerifyResult
from .strength import wanted_bits

__all__ = ["verify_raw_key"]


def verify_raw_key(
    key: bytes, params: VerifyParams, *, expected: bool, decide: Decide | None = None
) -> VerifyResult:
    """Judge a SubjectPublicKeyInfo (DER). Never raises for what a peer sent.

    `expected`: it is one that was named beforehand, by itself or by a TLSA record of usage 3; `params`: of which only
    `auth_level` means something for a key; `decide`: asked after each event whether to go on.
    """
    facts = PublicKey.read(key)
    events: list[Event] = []
    code = VerifyCode.OK
    if facts.security_bits < wanted_bits(params):
        code = VerifyCode.EE_KEY_TOO_SMALL
        detail = f"{facts.text}, {facts.security_bits} bits of security"
        events.append(Event(Kind.PROBLEM, code, 0, None, detail))
    if not expected:
        code = VerifyCode.RPK_UNTRUSTED
        events.append(Event(Kind.PROBLEM, code, 0, None, "" if facts.usable else "the key cannot be read"))
    events.append(Event(Kind.CHECKED, code, 0, None))
    for count, event in enumerate(events, 1):
        if decide is not None and not decide(event):
            return VerifyResult(event.code, False, tuple(events[:count]), (), 0)
    return VerifyResult(code, True, tuple(events), (), 0)
