"""Handshakes per second: of the servers under the same load, of the clients, and of the engine alone."""

from __future__ import annotations

import cProfile
import io
import pstats
import re
import socket
import subprocess
import time
from collections.abc import Callable

from bench.material import Material
from bench.measure import HANDGLASS, OPENSSL, Result, cpu_seconds, environment, free_port, in_turn, running
from handglass.connection import ClientConnection, ServerConnection
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import HandshakeCompleted, SessionReceived
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.records import replace
from handglass.registry.code_points import NamedGroup, ProtocolVersion

TLS13, TLS12 = ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2


def servers(material: Material, *, quick: bool) -> list[Result]:
    """Connections per second of CPU time that each server spends, full and resumed."""
    results = []
    seconds, rounds = (2, 1) if quick else (4, 3)
    for kind, label in (("p256", "ECDSA P-256 + X25519"), ("rsa", "RSA-2048 + X25519")):
        certificate = str(material.certificate(kind))  # type: ignore[arg-type]  # the two kinds that there are
        for arguments, what in ((["-new"], "full"), (["-tls1_2", "-reuse"], "resumed, TLS 1.2")):
            ours, theirs = in_turn(
                lambda: server_rate([*HANDGLASS, "s_server"], certificate, arguments, seconds),  # noqa: B023
                lambda: server_rate([OPENSSL, "s_server"], certificate, arguments, seconds),  # noqa: B023
                rounds,
            )
            results.append(Result(f"server, {what}, {label}", "handshakes per CPU second", ours, theirs))
    results.append(hybrid_server(material, seconds))
    return results


def server_rate(program: list[str], certificate: str, arguments: list[str], seconds: int) -> float:
    """Handshakes for each second of CPU time of one server, with `openssl s_time` as the load."""
    port = free_port()
    command = [
        *program,
        "-accept",
        f"127.0.0.1:{port}",
        "-cert",
        certificate,
        "-key",
        certificate,
        "-www",
        "-quiet",
    ]
    with running(command, port) as server:
        before = cpu_seconds(server.pid)
        load = [OPENSSL, "s_time", "-connect", f"127.0.0.1:{port}", "-time", str(seconds), *arguments]
        done = subprocess.run(
            load, capture_output=True, text=True, check=False, timeout=120, env=environment()
        )
        spent = cpu_seconds(server.pid) - before
    found = re.findall(r"(\d+) connections in", done.stdout)
    return int(found[-1]) / spent if found and spent else 0.0


def hybrid_server(material: Material, seconds: int) -> Result:
    """Our server with X25519MLKEM768, which the installed OpenSSL may not have: beside it with X25519."""
    certificate = str(material.certificate("p256"))
    rates = []
    for group in (NamedGroup.X25519MLKEM768, NamedGroup.X25519):
        port = free_port()
        command = [
            *HANDGLASS,
            "s_server",
            "-accept",
            f"127.0.0.1:{port}",
            "-cert",
            certificate,
            "-www",
            "-quiet",
        ]
        config = ClientConfig(groups=(group,), versions=(TLS13,))
        with running(command, port) as server:
            before = cpu_seconds(server.pid)
            count = connect_for(port, config, seconds)
            rates.append(count / (cpu_seconds(server.pid) - before))
    note = "against ourselves with X25519 under the same load"
    return Result("server, full, X25519MLKEM768", "handshakes per CPU second", rates[0], rates[1], note=note)


def connect_for(port: int, config: ClientConfig, seconds: float) -> int:
    """How many full handshakes one client makes in this time."""
    count, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        connect_once(port, config)
        count += 1
    return count


def connect_once(port: int, config: ClientConfig) -> None:
    """One connection with a full handshake over a socket."""
    connection = ClientConnection(config, clock=time.time)
    connection.start()
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        done = False
        while not done:
            sock.sendall(connection.data_to_send())
            done = any(
                isinstance(event, HandshakeCompleted) for event in connection.receive(sock.recv(65536))
            )
        connection.close()
        sock.sendall(connection.data_to_send())


def clients(material: Material, *, quick: bool) -> list[Result]:
    """Connections per second of CPU time that each client spends, against `openssl s_server`."""
    seconds, rounds = (2, 1) if quick else (4, 3)
    certificate = str(material.certificate("p256"))
    port = free_port()
    command = [OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-www", "-quiet"]
    config = ClientConfig(groups=(NamedGroup.X25519,), versions=(TLS13,))

    def ours() -> float:
        before = time.process_time()
        count = connect_for(port, config, seconds)
        return count / (time.process_time() - before)

    def theirs() -> float:
        load = [OPENSSL, "s_time", "-new", "-connect", f"127.0.0.1:{port}", "-time", str(seconds)]
        done = subprocess.run(
            load, capture_output=True, text=True, check=False, timeout=120, env=environment()
        )
        found = re.search(r"([\d.]+) connections/user sec", done.stdout)
        return float(found[1]) if found else 0.0

    with running(command, port):
        first, second = in_turn(ours, theirs, rounds)
    note = "OpenSSL's figure counts user time alone, as s_time prints it"
    return [
        Result("client, full, ECDSA P-256 + X25519", "handshakes per CPU second", first, second, note=note)
    ]


def engine(material: Material, *, quick: bool) -> list[Result]:
    """Both ends in memory, with no socket: what the engine alone can do, and where its time goes."""
    material.certificate("p256")
    material.certificate("rsa")
    count = 100 if quick else 500
    results = []
    for name, make in cases(material).items():
        once = make()
        once()
        began = time.process_time()
        for _ in range(count):
            once()
        rate = count / (time.process_time() - began)
        results.append(Result(f"engine alone, both ends, {name}", "handshakes per CPU second", rate, None))
    return results


def cases(material: Material) -> dict[str, Callable[[], Callable[[], object]]]:
    """What the engine is timed with."""
    p256, rsa = material.identities["p256"], material.identities["rsa"]
    server = ServerConfig(identities=(p256,), sessions=MemorySessions(time.time))
    client = ClientConfig(groups=(NamedGroup.X25519,), versions=(TLS13,))
    return {
        "TLS 1.3, ECDSA P-256 + X25519": lambda: lambda: pair(client, server),
        "TLS 1.3, ECDSA P-256 + X25519MLKEM768": lambda: (
            lambda: pair(ClientConfig(versions=(TLS13,)), server)
        ),
        "TLS 1.3, RSA-2048 + X25519": lambda: lambda: pair(client, replace(server, identities=(rsa,))),
        "TLS 1.3, resumed": lambda: resumed(client, server),
        "TLS 1.2, ECDSA P-256 + X25519": lambda: lambda: pair(replace(client, versions=(TLS12,)), server),
    }


def resumed(client: ClientConfig, server: ServerConfig) -> Callable[[], object]:
    """A function that resumes one session again and again."""
    session = pair(client, server)
    return lambda: pair(replace(client, session=session), server)


def pair(client: ClientConfig, server: ServerConfig) -> Session | None:
    """One handshake between two ends in memory; the last session that the client got."""
    one = ClientConnection(client, clock=time.time)
    other = ServerConnection(server, clock=time.time)
    one.start()
    session = None
    while one.has_data_to_send:
        other.receive(one.data_to_send())
        for event in one.receive(other.data_to_send()):
            if isinstance(event, SessionReceived):
                session = event.session
    return session


def profile(material: Material) -> str:
    """Where the time of a full TLS 1.3 handshake goes, both ends."""
    material.certificate("p256")
    material.certificate("rsa")
    once = cases(material)["TLS 1.3, ECDSA P-256 + X25519"]()
    once()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(300):
        once()
    profiler.disable()
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(25)
    return text.getvalue()
