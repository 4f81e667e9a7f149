"""The outcome that s_client ends with, for servers with every fault that a chain can have, beside OpenSSL's program.

Each row of the table is a server and a command line. Both programs get both: they must find the same problems in the
same order and end with the number in the row, once going on after problems and once ending at the first one
(-verify_return_error). Where we differ on purpose, the row says so, and the documentation says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from cli.s_client.setups import chains, limits, status
from cli.s_client.setups.parts import Chain, Setup
from handglass.net.blocking import Server
from handglass.records import dataclass
from support.chain_server import Serving, chain_server, served
from support.peers import needs
from support.processes import Outcome
from support.s_client import ours, theirs
from support.tally import note
from support.web import ok, web_server
from verify.support import build

pytestmark = needs("openssl")

SUBJECT = "servers whose Verify return code is compared with OpenSSL's"
SECTIONS = (
    chains.validity,
    chains.issuers,
    chains.depths,
    chains.names,
    chains.purposes,
    chains.authorities,
    chains.strictness,
    chains.strength,
    chains.suite_b,
    status.revocation,
    status.delta_lists,
    status.indirect_lists,
    status.stapled_responses,
    limits.name_constraints,
    limits.policies,
    limits.dane,
    limits.proxies,
)
TABLE = [setup for section in SECTIONS for setup in section()]


@dataclass(frozen=True)
class Found:
    """What one program found: exit status, the line of the report, the problems in their order."""

    status: int
    line: str
    problems: tuple[str, ...]


def found(outcome: Outcome) -> Found:
    """Read what a program said."""
    lines = re.findall(rb"Verify return code: .*", outcome.stdout)
    problems = re.findall(rb"verify error:num=.*", outcome.stderr)
    assert lines, outcome.text
    return Found(outcome.returncode, lines[-1].decode(), tuple(each.decode() for each in problems))


@cache
def made(number: int) -> Chain:
    """Give the chain of a row, the same for server and client."""
    return TABLE[number].chain()


def serve(name: str) -> Serving:
    """Give what the row in a server name serves."""
    number = int(name.removeprefix("row-").removesuffix(".test"))
    setup, chain = TABLE[number], made(number)
    certificates = [chain[each] for each in setup.sent]
    responses = [setup.response(chain)] if setup.response else []
    return served([each.der for each in certificates], certificates[0].key.private, responses)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all rows."""
    with chain_server(serve) as server:
        yield server


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[setup.title for setup in TABLE])
def test_the_outcome_is_openssls(
    server: Server, tmp_path: Path, number: int, record_property: Callable[[str, object], None]
) -> None:
    """Going on after problems, and ending at the first."""
    setup, chain = TABLE[number], made(number)
    line = [*places(setup, chain, tmp_path), "-servername", f"row-{number}.test", *setup.words(chain)]
    expected, told = found(theirs(server.port, *line)), found(ours(server.port, *line, *setup.our_options))
    assert f" {setup.code} (" in expected.line
    if setup.ours is not None:
        assert f" {setup.ours} (" in told.line
        note(record_property, SUBJECT, "documented differences")
        return
    assert told == expected
    assert told.status == 0
    if told.problems:
        line.append("-verify_return_error")
        told = found(ours(server.port, *line, *setup.our_options))
        assert told == found(theirs(server.port, *line))
        assert told.status == 1
    note(record_property, SUBJECT, "the same")


def places(setup: Setup, chain: Chain, directory: Path) -> list[str]:
    """Write what is trusted, and the lists. OpenSSL's program reads one list with -CRL; several go with the rest."""
    trust = "".join(chain[each].pem for each in setup.trusted)
    lists = [build.pem(each, "X509 CRL") for each in (setup.crls(chain) if setup.crls else ())]
    options = []
    if len(lists) == 1:
        (directory / "list.pem").write_text(lists.pop())
        options = ["-CRL", str(directory / "list.pem")]
    if not trust and not lists:
        return [*options, "-no-CAfile", "-no-CApath", "-no-CAstore"]
    (directory / "trust.pem").write_text(trust + "".join(lists))
    return [*options, "-CAfile", str(directory / "trust.pem")]


def test_indirect_lists_that_are_fetched(tmp_path: Path) -> None:
    """With -crl_download OpenSSL's program gets to see an indirect list, too."""
    lists: list[bytes] = []
    with web_server(lambda _: ok(lists[0])) as site:
        url = site.url("/list.crl")
        chain = status.indirect(url)
        certificates = [chain[each].der for each in ("leaf", "middle", "signer")]
        (tmp_path / "root.pem").write_text(chain["root"].pem)
        line = ["-CAfile", str(tmp_path / "root.pem"), "-crl_check", "-crl_download"]
        with chain_server(lambda _: served(certificates, chain["leaf"].key.private)) as server:
            for revoked, options, code in (
                ((), ["-extended_crl"], 0),
                (("leaf",), ["-extended_crl"], 23),
                ((), [], 3),
            ):
                lists[:] = status.listing(*revoked, url=url)(chain)
                told = found(ours(server.port, *line, *options))
                assert told == found(theirs(server.port, *line, *options))
                assert f" {code} (" in told.line
