"""The tuples of `s_server -groups`: within one a share that is there decides, a better one is asked for."""

from __future__ import annotations

import pytest

from cli.s_server.serving import serve
from support.peers import OpenSSLClient, needs
from support.pki import Pki


@needs("openssl")
@pytest.mark.parametrize(
    ("groups", "temporary"),
    [("P-256:X25519", "X25519, 253 bits"), ("P-256/X25519", "ECDH, prime256v1, 256 bits")],
)
def test_which_group_is_used(pki: Pki, groups: str, temporary: str) -> None:
    client = OpenSSLClient(options=["-groups", "X25519:P-256"])
    with serve(pki, "-groups", groups) as server, client.start(server.port) as process:
        process.wait_for(f"^(Server|Peer) Temp Key: {temporary}$")
