"""TLSA records asked of a resolver on loopback that answers as it is told."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns.rdata import GenericRdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from handglass.net.dane_lookup import TlsaAnswer, find_tlsa, look_up_tlsa
from handglass.net.errors import NetCode, NetError
from handglass.verify.dane import MAX_RECORDS, TlsaRecord
from support.dns_server import Answer, Reply, resolver, respond, zone

DIGEST = "ab" * 32
NAME = "_443._tcp.server.test"
RECORD = TlsaRecord(3, 1, 1, bytes.fromhex(DIGEST))


def records(*rows: str, validated: bool = True, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    def answer(query: dns.message.Message, by_tcp: bool) -> Reply:
        assert query.flags & dns.flags.AD
        assert query.ednsflags & dns.flags.DO
        name = query.question[0].name
        found = [dns.rrset.from_text(name, 60, "IN", "TLSA", *rows)] if rows else []
        return respond(query, *found, validated=validated, code=code)

    return answer


def test_validated_records() -> None:
    with resolver(records(f"3 1 1 {DIGEST}", f"9 1 1 {DIGEST}")) as address:
        answer = look_up_tlsa("server.test", 443, resolver=address)
    assert (answer.name, answer.base) == (NAME + ".", "server.test")
    assert answer.records == (RECORD,)
    assert answer.validated
    assert answer.unproven == ()
    assert "usage 9 does not exist" in answer.unusable[0]
    assert (answer.resolver, answer.nearby) == (address, True)


def test_records_that_nobody_validated_do_not_count() -> None:
    with resolver(records(f"3 1 1 {DIGEST}", "3 1 0 00", validated=False)) as address:
        answer = look_up_tlsa("server.test", 443, resolver=address)
    assert (answer.validated, answer.records, answer.unusable) == (False, (), ())
    assert sorted(answer.unproven) == ["3 1 0 00", f"3 1 1 {DIGEST}"]


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
    with (
        resolver(lambda *_: None) as address,
        pytest.raises(NetError, match=r"within 0\.3 seconds") as caught,
    ):
        find_tlsa("server.test", 443, resolver=address, timeout=0.3)
    assert caught.value.code is NetCode.LOOKUP_TIMEOUT


def test_long_answers_come_by_tcp() -> None:
    """A truncated answer is asked for again (RFC 7766 §5); what fitted into it is not taken for all."""
    rows = [f"3 1 1 {number:064x}" for number in range(MAX_RECORDS + 50)]
    whole = records(*rows)
    ways = []

    def answer(query: dns.message.Message, by_tcp: bool) -> Reply:
        ways.append(by_tcp)
        if by_tcp:
            return whole(query, by_tcp)
        short = records(rows[0])(query, by_tcp)
        assert isinstance(short, dns.message.Message)
        short.flags |= dns.flags.TC
        return short

    with resolver(answer) as address:
        found = look_up_tlsa("server.test", 443, resolver=address)
    assert ways == [False, True]
    assert len(found.records) == MAX_RECORDS


def hostile(kind: str) -> Answer:
    def answer(query: dns.message.Message, by_tcp: bool) -> Reply:
        name = query.question[0].name
        record = dns.rrset.from_text(name, 60, "IN", "TLSA", f"3 1 1 {DIGEST}")
        if kind == "garbage":
            return b"\xff" * 40
        if kind == "cut short":
            return respond(query, record).to_wire()[:-9]
        response = respond(query, record)
        if kind == "another id":
            response.id ^= 1
        elif kind == "another question":
            response.question = dns.message.make_query("other.test", "TLSA").question
        elif kind == "no response":
            response.flags &= ~dns.flags.QR
        elif kind == "records of another name":
            response.answer = [dns.rrset.from_text("other.test.", 60, "IN", "TLSA", f"3 1 1 {DIGEST}")]
        elif kind == "a digest that is too short":
            short = GenericRdata(RdataClass.IN, RdataType.TLSA, b"\3\1\1\xab")
            response.answer = [dns.rrset.from_rdata(name, 60, short)]
        elif kind == "a loop of aliases":
            response.answer = [dns.rrset.from_text(name, 60, "IN", "CNAME", name.to_text())]
        return response

    return answer


@pytest.mark.parametrize(
    "kind",
    [
        "garbage",
        "cut short",
        "another id",
        "another question",
        "no response",
        "records of another name",
        "a digest that is too short",
        "a loop of aliases",
    ],
)
def test_hostile_answers(kind: str) -> None:
    """Passed over until the time is up, an error, or no records: never records."""
    with resolver(hostile(kind)) as address:
        if kind == "records of another name":
            assert look_up_tlsa("server.test", 443, resolver=address).records == ()
            return
        with pytest.raises(NetError) as caught:
            look_up_tlsa("server.test", 443, resolver=address, timeout=0.4)
    assert caught.value.code in {NetCode.LOOKUP_TIMEOUT, NetCode.LOOKUP_FAILED}


ALIAS = {
    ("www.server.test", "CNAME"): ["host.other.test."],
    ("host.other.test", "A"): ["127.0.0.1"],
    ("_443._tcp.www.server.test", "TLSA"): [f"3 1 1 {'cd' * 32}"],
}


def test_aliases() -> None:
    """The target's records go first, if all the way there is secure (RFC 7671 §7); else the name's own count."""
    at_target = {("_443._tcp.host.other.test", "TLSA"): [f"3 1 1 {DIGEST}"]}

    def found(answer: Answer) -> TlsaAnswer:
        with resolver(answer) as address:
            return find_tlsa("www.server.test.", 443, resolver=address)

    both = found(zone(ALIAS | at_target))
    assert (both.base, both.records) == ("host.other.test", (RECORD,))
    own = TlsaRecord(3, 1, 1, b"\xcd" * 32)
    only_own = found(zone(ALIAS))
    assert (only_own.base, only_own.records) == ("www.server.test", (own,))
    insecure = found(zone(ALIAS | at_target, insecure=frozenset({"host.other.test"})))
    assert (insecure.base, insecure.records) == ("www.server.test", (own,))
    strange = ALIAS | {("www.server.test", "CNAME"): ["a\\032b.other.test."]}
    with pytest.raises(NetError, match="which is no host name"):
        found(zone(strange))


@pytest.mark.parametrize("address", ["not an address", "127.0.0.1:x", "127.0.0.1:99999", "[::1", "localhost"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(NetError, match="no resolver can be asked"):
        look_up_tlsa("server.test", 443, resolver=address, timeout=0.3)
