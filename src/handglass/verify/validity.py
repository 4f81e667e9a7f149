"""Validity periods of certificates (RFC 5280 §4.1.2.5)."""

from __future__ import annotations

from .certificate import Certificate
from .codes import VerifyCode
from .context import Context

__all__ = ["check_validity", "is_valid_now"]


def is_valid_now(certificate: Certificate, time: int | None) -> bool:
    """Whether `time` lies in the validity period; always, where `time` is None."""
    if time is None:
        return True
    start, end = certificate.not_before.seconds, certificate.not_after.seconds
    return start is not None and end is not None and start <= time < end


def check_validity(context: Context, certificate: Certificate, depth: int) -> None:
    """Report what is wrong with a certificate's times. Raises Stopped."""
    time = context.time
    if time is None:
        return
    start, end = certificate.not_before.seconds, certificate.not_after.seconds
    if start is None:
        context.problem(VerifyCode.ERROR_IN_CERT_NOT_BEFORE_FIELD, depth, certificate)
    elif start > time:
        context.problem(
            VerifyCode.CERT_NOT_YET_VALID, depth, certificate, f"from {certificate.not_before.text}"
        )
    if end is None:
        context.problem(VerifyCode.ERROR_IN_CERT_NOT_AFTER_FIELD, depth, certificate)
    elif end <= time:
        context.problem(
            VerifyCode.CERT_HAS_EXPIRED, depth, certificate, f"until {certificate.not_after.text}"
        )
