"""One server for any number of certificate chains: the server name that a client asks for says which.

It is our own engine, which serves what OpenSSL's s_server would not load: expired and damaged certificates, keys that
are too weak, chains in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from handglass import ServerConfig, TLSStream, replace, start_server
from handglass.crypto.identity import Identity
from handglass.crypto.private_keys import key_type_of
from handglass.crypto.signatures import PrivateKey
from handglass.records import dataclass

if TYPE_CHECKING:
    from handglass.handshake.state import ClientHelloView
    from handglass.net.blocking import Server

Serving = tuple[Identity, Sequence[bytes | None]]
"""What a client gets: an identity and the OCSP responses stapled to its certificates, leaf first."""


@dataclass(frozen=True, slots=True)
class Disguise(Identity):
    """An identity that shows other certificates than it looks at when it chooses how to sign."""

    shown: tuple[bytes, ...] = ()

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """What is sent."""
        return self.shown


def served(certificates: Sequence[bytes], key: PrivateKey, responses: Sequence[bytes | None] = ()) -> Serving:
    """Give a chain (DER, leaf first) with the leaf's key as the server wants it; nothing is checked."""
    leaf, *others = certificates
    return Identity(leaf, key, tuple(others), key_type_of(key)), responses


def disguised(certificates: Sequence[bytes], honest: bytes, key: PrivateKey) -> Serving:
    """Give any bytes in place of a chain; the server itself looks at an `honest` certificate of its key."""
    return Disguise(honest, key, (), key_type_of(key), shown=tuple(certificates)), ()


def chain_server(choose: Callable[[str], Serving], config: ServerConfig | None = None) -> Server:
    """Start a server that gives each client what `choose` makes of its server name."""
    basis = replace(config or ServerConfig(), num_tickets=0)

    def choose_config(hello: ClientHelloView) -> ServerConfig:
        identity, responses = choose(hello.server_name or "")
        return replace(basis, identities=(identity,), staple=lambda _: responses)

    return start_server(_read_to_the_end, config=replace(basis, choose_config=choose_config), report=_silent)


def _read_to_the_end(stream: TLSStream) -> None:
    for _ in stream:
        pass


def _silent(_: Exception) -> None:
    """A client that refuses its chain is what most tests want."""
