"""The engine alone: two of them back to back in memory, and where the time goes."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Iterator

from bench.machinery import Result, Settings
from handglass.connection import ClientConnection, ServerConnection
from handglass.crypto.containers import load_certificates, load_private_key
from handglass.crypto.identity import Identity, make_identity
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import SessionReceived
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.registry.code_points import NamedGroup, ProtocolVersion

CASES: dict[str, tuple[str, ProtocolVersion, NamedGroup, bool]] = {
    "TLS 1.3, ECDSA P-256, X25519": ("p256", ProtocolVersion.TLS1_3, NamedGroup.X25519, False),
    "TLS 1.3, RSA-2048, X25519": ("rsa", ProtocolVersion.TLS1_3, NamedGroup.X25519, False),
    "TLS 1.3, ECDSA P-256, X25519MLKEM768": (
        "p256",
        ProtocolVersion.TLS1_3,
        NamedGroup.X25519MLKEM768,
        False,
    ),
    "TLS 1.3, resumed, X25519": ("p256", ProtocolVersion.TLS1_3, NamedGroup.X25519, True),
    "TLS 1.2, ECDSA P-256, X25519": ("p256", ProtocolVersion.TLS1_2, NamedGroup.X25519, False),
}


class Handshakes:
    """Handshakes of one kind, one after the other, with the time of each side added up (seconds)."""

    def __init__(self, settings: Settings, case: tuple[str, ProtocolVersion, NamedGroup, bool]) -> None:
        key_type, version, group, resume = case
        identity = _identity(settings, key_type)
        self._client = ClientConfig(versions=(version,), groups=(group,), server_name="server.test")
        self._server = ServerConfig(
            versions=(version,), groups=(group,), identities=(identity,), sessions=MemorySessions(time.time)
        )
        self.client_time = self.server_time = 0.0
        if resume:
            session = self.one()
            if session is None:
                raise RuntimeError("the server gave no session")
            self._client = ClientConfig(
                versions=(version,), groups=(group,), server_name="server.test", session=session
            )
        self.one()
        self.client_time = self.server_time = 0.0

    def one(self) -> Session | None:
        """Make one handshake; return the session that the client got."""
        clock = time.perf_counter
        session = None
        began = clock()
        client = ClientConnection(self._client, clock=time.time)
        client.start()
        data = client.data_to_send()
        self.client_time += clock() - began
        server: ServerConnection | None = None
        while data:
            began = clock()
            server = server or ServerConnection(self._server, clock=time.time)
            server.receive(data)
            data = server.data_to_send()
            switched = clock()
            self.server_time += switched - began
            for event in client.receive(data):
                if isinstance(event, SessionReceived):
                    session = event.session
            data = client.data_to_send()
            self.client_time += clock() - switched
        if server is None or not (client.is_established and server.is_established):
            raise RuntimeError("the handshake was not finished")
        return session


def _identity(settings: Settings, key_type: str) -> Identity:
    files = settings.pki.server(key_type)
    chain = load_certificates(files.chain.read_bytes())
    return make_identity(chain[0], load_private_key(files.key.read_bytes()), tuple(chain[1:]))


def engine(settings: Settings) -> Iterator[Result]:
    """Handshakes per second of both engines together, and of each side by itself."""
    for title, case in CASES.items():
        handshakes = Handshakes(settings, case)
        count = 0
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < settings.seconds:
            handshakes.one()
            count += 1
        yield Result(
            f"engine, both sides: {title}",
            "handshakes/s",
            count / elapsed,
            None,
            detail={
                "client_us": handshakes.client_time / count * 1e6,
                "server_us": handshakes.server_time / count * 1e6,
            },
        )


def profile(settings: Settings) -> str:
    """Say where the time of a full TLS 1.3 handshake goes (both sides), by own time."""
    handshakes = Handshakes(settings, CASES["TLS 1.3, ECDSA P-256, X25519"])
    profiler = cProfile.Profile()
    number = 100 if settings.quick else 1000
    profiler.enable()
    for _ in range(number):
        handshakes.one()
    profiler.disable()
    stats = pstats.Stats(profiler)
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:25]  # type: ignore[attr-defined]  # not in typeshed
    total = sum(row[2] for row in stats.stats.values())  # type: ignore[attr-defined]  # not in typeshed
    lines = [f"{'us/handshake':>12} {'share':>6} {'calls':>6}  function"]
    for (path, line, function), (_, calls, own, _, _) in rows:
        place = function if path == "~" else f"{path.rpartition('handglass/')[2]}:{line} {function}"
        lines.append(f"{own / number * 1e6:12.1f} {own / total:6.1%} {calls / number:6.1f}  {place}")
    return "\n".join(lines)
