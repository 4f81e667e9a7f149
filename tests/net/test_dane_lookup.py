"""TLSA records asked of a resolver on loopback that answers as it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from handglass.net.dane_lookup import look_up_tlsa
from handglass.net.errors import NetCode, NetError
from handglass.verify.dane import TlsaRecord

Answer = Callable[[dns.message.Message], dns.message.Message | None]


@contextmanager
def resolver(answer: Answer) -> Iterator[str]:
    """Serve DNS over UDP on loopback; give "address:port"."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.05)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                data, peer = server.recvfrom(4096)
            except TimeoutError:
                continue
            response = answer(dns.message.from_wire(data))
            if response is not None:
                server.sendto(response.to_wire(), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        ended.set()
        thread.join()
        server.close()


def records(*rows: str, validated: bool = True, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    def answer(query: dns.message.Message) -> dns.message.Message:
        assert query.flags & dns.flags.AD
        assert query.ednsflags & dns.flags.DO
        response = dns.message.make_response(query)
        response.set_rcode(code)
        if validated:
            response.flags |= dns.flags.AD
        if rows:
            response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "TLSA", *rows))
        return response

    return answer


def test_validated_records() -> None:
    digest = "ab" * 32
    with resolver(records(f"3 1 1 {digest}", f"9 1 1 {digest}")) as address:
        answer = look_up_tlsa("server.test", 443, resolver=address)
    assert answer.name == "_443._tcp.server.test."
    assert answer.records == (TlsaRecord(3, 1, 1, bytes.fromhex(digest)),)
    assert answer.validated
    assert "usage 9 does not exist" in answer.unusable[0]


def test_records_that_nobody_validated_do_not_count() -> None:
    with (
        resolver(records("3 1 1 " + "ab" * 32, validated=False)) as address,
        pytest.raises(NetError, match="not validated by DNSSEC") as caught,
    ):
        look_up_tlsa("server.test", 443, resolver=address)
    assert caught.value.code is NetCode.LOOKUP_FAILED


@pytest.mark.parametrize("code", [dns.rcode.NXDOMAIN, dns.rcode.NOERROR])
@pytest.mark.parametrize("validated", [True, False])
def test_no_records(code: dns.rcode.Rcode, validated: bool) -> None:
    with resolver(records(validated=validated, code=code)) as address:
        answer = look_up_tlsa("server.test.", 25, "udp", resolver=address)
    assert (answer.name, answer.records, answer.validated) == ("_25._udp.server.test.", (), validated)


def test_failed_validation_is_no_absence() -> None:
    with (
        resolver(records(code=dns.rcode.SERVFAIL)) as address,
        pytest.raises(NetError, match="perhaps DNSSEC validation failed"),
    ):
        look_up_tlsa("server.test", 443, resolver=address)


def test_silence_ends() -> None:
    with resolver(lambda _: None) as address, pytest.raises(NetError, match=r"within 0\.3 seconds") as caught:
        look_up_tlsa("server.test", 443, resolver=address, timeout=0.3)
    assert caught.value.code is NetCode.LOOKUP_TIMEOUT


@pytest.mark.parametrize("address", ["not an address", "127.0.0.1:x", "[::1"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(NetError):
        look_up_tlsa("server.test", 443, resolver=address, timeout=0.3)
