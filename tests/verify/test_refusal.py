"""From outcomes to reasons: the alert is always the outcome's own."""

from __future__ import annotations

import pytest

from handglass.registry import reasons
from handglass.verify.codes import VerifyCode, alert_for
from handglass.verify.refusal import BY_CODE, REASONS, refusal
from handglass.verify.result import Event, Kind, VerifyResult


@pytest.mark.parametrize("code", [code for code in VerifyCode if code != VerifyCode.OK])
def test_the_alert_is_that_of_the_outcome(code: VerifyCode) -> None:
    event = Event(Kind.PROBLEM, code, 1, None, "so it is")
    error = refusal(VerifyResult(code, True, (event,), (), 0))
    assert error is not None
    assert error.alert == (alert_for(code) if alert_for(code) in REASONS else 46)
    assert f"error {int(code)} at depth 1" in str(error)
    assert "so it is" in str(error)


def test_reasons_of_their_own_keep_the_alert() -> None:
    assert all(reason.alert == alert_for(code) for code, reason in BY_CODE.items())


def test_nothing_wrong_is_no_refusal() -> None:
    assert refusal(VerifyResult(VerifyCode.OK, True, (), (), 0)) is None


def test_what_was_not_finished_is_refused() -> None:
    error = refusal(VerifyResult(VerifyCode.OK, False, (), (), 0))
    assert error is not None
    assert error.reason is reasons.CERTIFICATE_UNKNOWN
