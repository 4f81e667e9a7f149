"""The matrix: our client against each server, each client against our server, every pair of abilities.

Each combination connects, sends data both ways, resumes if it says so, and compares what both sides report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from handglass.records import dataclass
from interop import abilities
from interop.combinations import Abilities, Combination
from interop.facts import Facts
from interop.ours import our_client, our_s_client, our_s_server, our_server
from interop.report import PROPERTY, properties
from interop.sides import (
    ClientSide,
    CommandClient,
    CommandServer,
    CurlClientSide,
    GnuTLSClientSide,
    GnuTLSServerSide,
    NSSClientSide,
    NSSServerSide,
    Places,
    ServerSetup,
    ServerSide,
)
from support.peers import needs, program
from support.pki import Pki
from support.processes import ProcessError


def _openssl_client(places: Places) -> ClientSide:
    return CommandClient(places, [program("openssl")], "openssl s_client")


def _openssl_server(places: Places, setup: ServerSetup) -> ServerSide:
    return CommandServer(places, setup, [program("openssl")], "openssl s_server")


@dataclass(frozen=True)
class Pairing:
    """A client, a server, and what they are tried on."""

    name: str
    client: Callable[[Places], ClientSide]
    server: Callable[[Places, ServerSetup], ServerSide]
    abilities: Abilities
    programs: tuple[str, ...]


NSS_TOOLS = ("certutil", "pk12util", "openssl")
PAIRINGS = (
    Pairing("our client, openssl s_server", our_client, _openssl_server, abilities.OPENSSL, ("openssl",)),
    Pairing("our client, gnutls-serv", our_client, GnuTLSServerSide, abilities.GNUTLS, ("gnutls-serv",)),
    Pairing("our client, selfserv", our_client, NSSServerSide, abilities.NSS, ("selfserv", *NSS_TOOLS)),
    Pairing("openssl s_client, our server", _openssl_client, our_server, abilities.OPENSSL, ("openssl",)),
    Pairing("gnutls-cli, our server", GnuTLSClientSide, our_server, abilities.GNUTLS, ("gnutls-cli",)),
    Pairing(
        "tstclnt, our server",
        NSSClientSide,
        our_server,
        abilities.NSS_CLIENT,
        ("tstclnt", "strsclnt", *NSS_TOOLS),
    ),
    Pairing("curl, our server", CurlClientSide, our_server, abilities.CURL, ("curl",)),
    Pairing("our s_client, openssl s_server", our_s_client, _openssl_server, abilities.FEW, ("openssl",)),
    Pairing("our s_client, gnutls-serv", our_s_client, GnuTLSServerSide, abilities.FEW, ("gnutls-serv",)),
    Pairing("our s_client, selfserv", our_s_client, NSSServerSide, abilities.FEW, ("selfserv", *NSS_TOOLS)),
    Pairing(
        "openssl s_client, our s_server", _openssl_client, our_s_server, abilities.FEW_WITH_IDS, ("openssl",)
    ),
    Pairing(
        "gnutls-cli, our s_server", GnuTLSClientSide, our_s_server, abilities.FEW_WITH_IDS, ("gnutls-cli",)
    ),
    Pairing(
        "tstclnt, our s_server",
        NSSClientSide,
        our_s_server,
        abilities.FEW_NSS_CLIENT,
        ("tstclnt", "strsclnt", *NSS_TOOLS),
    ),
    Pairing("curl, our s_server", CurlClientSide, our_s_server, abilities.FEW_CURL, ("curl",)),
)


def _parameters() -> Iterator[object]:
    for pairing in PAIRINGS:
        for combination in pairing.abilities.combinations():
            yield pytest.param(
                pairing, combination, id=f"{pairing.name}: {combination}", marks=needs(*pairing.programs)
            )


@pytest.fixture
def noted(request: pytest.FixtureRequest, pairing: Pairing, combination: Combination) -> None:
    """Put the combination into the table."""
    request.node.user_properties.append((PROPERTY, properties(pairing.name, combination)))


class Servers:
    """The servers that run now; the one unused for longest ends when there are too many."""

    MOST = 4

    def __init__(self) -> None:
        self._running: dict[tuple[str, ServerSetup], ServerSide] = {}

    def get(self, pairing: Pairing, places: Places, setup: ServerSetup) -> ServerSide:
        """Return a server that suits, started now if need be."""
        key = (pairing.name, setup)
        server = self._running.pop(key, None) or pairing.server(places, setup)
        self._running[key] = server
        while len(self._running) > self.MOST:
            self.end(next(iter(self._running)))
        return server

    def end(self, key: tuple[str, ServerSetup]) -> None:
        """End one."""
        self._running.pop(key).close()

    def end_all(self) -> None:
        """End all."""
        while self._running:
            self.end(next(iter(self._running)))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    running = Servers()
    yield running
    running.end_all()


@pytest.fixture(scope="session")
def attendant() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def places(request: pytest.FixtureRequest, pki: Pki, pairing: Pairing) -> Places:
    nss: Path | None = request.getfixturevalue("nss") if "certutil" in pairing.programs else None
    return Places(pki, nss)


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(("pairing", "combination"), list(_parameters()))
def test_combination(
    pairing: Pairing,
    combination: Combination,
    places: Places,
    servers: Servers,
    attendant: ThreadPoolExecutor,
) -> None:
    setup = ServerSetup.of(combination)
    server = servers.get(pairing, places, setup)
    client = pairing.client(places)
    try:
        server.mark()
        future = attendant.submit(client.connect, server, combination)
        told_by_server = attended(server, combination, future)
        told_by_client = future.result()
    except BaseException:
        servers.end((pairing.name, setup))  # the next combination gets a fresh one
        raise
    assert len(told_by_client) == len(told_by_server) == combination.connections
    groups = combination.groups if server.chooses_group else (combination.group,)
    for number, told in enumerate(zip(told_by_client, told_by_server, strict=True)):
        for facts in told:
            check(facts, combination, groups, resumed=number > 0)
        assert any(facts.resumed is not None for facts in told)
        assert len({facts.group for facts in told} - {None}) <= 1, "the sides disagree on the group"


def attended(server: ServerSide, combination: Combination, client: Future[list[Facts]]) -> list[Facts]:
    """Do the server's part; where the client has failed, that is the better story."""
    try:
        return server.attend(combination, client.done)
    except ProcessError:
        if client.done():
            client.result()
        raise


def check(facts: Facts, combination: Combination, groups: tuple[str | None, ...], *, resumed: bool) -> None:
    """Compare what one side says with what was to be negotiated."""
    assert facts.version == combination.version
    assert combination.suite.code in facts.suites
    if (
        combination.suite.has_group
    ):  # finite-field DHE of TLS 1.2 has parameters, whatever they are reported as
        assert facts.group in (None, *groups)
    assert facts.resumed in (None, resumed)
    if not resumed:
        assert facts.client in (None, combination.client is not None)
