"""What is said of a peer that speaks another protocol."""

from __future__ import annotations

import pytest

from handglass.channel.not_tls import SIGNS, not_tls


@pytest.mark.parametrize(
    ("start", "reason", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "NOT_TLS_HTTP", "plain HTTP"),
        (b"<!doctype html>\n<html>", "NOT_TLS", "the port speaks plain HTTP"),
        (b"<?xml version='1.0'?><stream:stream", "NOT_TLS", "-starttls xmpp"),
        (b"220 mail.test ESMTP Postfix\r\n", "NOT_TLS", "-starttls smtp"),
        (b"+OK Dovecot ready.\r\n", "NOT_TLS", "-starttls pop3"),
        (b"\x5b\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB", "NOT_TLS", "-starttls mysql"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "NOT_TLS", "an SSH server"),
        (b"GET / HTTP/1.1\r\n", "NOT_TLS", "the client does not use TLS"),
        (b"\x80\x2e\x01\x00\x02\x00", "SSL2_HELLO_REFUSED", "SSLv2 ClientHello"),
        (b"\xde\xad\xbe\xef\x00", "NOT_TLS", "de ad be ef 00"),
        (b"", "NOT_TLS", ""),
    ],
)
def test_foreign_input_is_named(start: bytes, reason: str, words: str) -> None:
    error = not_tls(start)
    assert error.reason.name == reason
    assert words in str(error)


def test_signs_are_in_capitals_and_none_hides_another() -> None:
    signs = [sign for sign, _ in SIGNS]
    assert all(sign == sign.upper() for sign in signs)
    hidden = [(a, b) for i, a in enumerate(signs) for b in signs[i + 1 :] if b.startswith(a)]
    assert hidden == []
