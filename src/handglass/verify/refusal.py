"""From the outcome of a verification to the error, and so the alert, that ends the handshake."""

from __future__ import annotations

from handglass.registry import reasons
from handglass.registry.errors import PeerError
from handglass.registry.reasons import Reason

from .codes import VerifyCode
from .result import VerifyResult

__all__ = ["refusal"]

REASONS: dict[int, Reason] = {
    42: reasons.BAD_CERTIFICATE,
    43: reasons.UNSUPPORTED_CERTIFICATE,
    44: reasons.CERTIFICATE_REVOKED,
    45: reasons.CERTIFICATE_EXPIRED,
    46: reasons.CERTIFICATE_UNKNOWN,
    48: reasons.UNKNOWN_CA,
    51: reasons.BAD_SIGNATURE,
}
"""The reason for each alert that a verification can end in (`verify.codes.alert_for`)."""

BY_CODE: dict[VerifyCode, Reason] = {
    VerifyCode.HOSTNAME_MISMATCH: reasons.CERTIFICATE_NAME_MISMATCH,
    VerifyCode.IP_ADDRESS_MISMATCH: reasons.CERTIFICATE_NAME_MISMATCH,
    VerifyCode.EMAIL_MISMATCH: reasons.CERTIFICATE_NAME_MISMATCH,
    VerifyCode.CERT_NOT_YET_VALID: reasons.CERTIFICATE_NOT_YET_VALID,
}
"""Outcomes with a reason of their own, under the same alert."""


def refusal(result: VerifyResult) -> PeerError | None:
    """The error that says why a chain is refused: its last problem, as OpenSSL reports it; None if all is well."""
    if result.ok:
        return None
    reason = REASONS.get(result.alert, reasons.CERTIFICATE_UNKNOWN)
    if not result.problems:
        return PeerError(reason, "certificate verify failed: the verification could not be finished")
    last = result.problems[-1]
    reason = BY_CODE.get(last.code, reason)
    where = f"error {int(last.code)} at depth {last.depth}"
    return PeerError(reason, f"certificate verify failed: {where}: {last.sentence}")
