"""Which group a server takes or asks for, by its tuples of equally good groups (`ServerConfig.group_tuples`)."""

from __future__ import annotations

import pytest

from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.registry.code_points import NamedGroup
from support.engines import identity, pair

P256, P384, X25519, X448 = NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.X25519, NamedGroup.X448


@pytest.mark.parametrize(
    ("tuples", "offered", "share", "chosen", "retried"),
    [
        pytest.param((), (X25519, P256), X25519, X25519, False, id="none"),
        pytest.param(((P256, X25519),), (X25519, P256), X25519, X25519, False, id="equally good"),
        pytest.param(((P256,), (X25519,)), (X25519, P256), X25519, P256, True, id="better one asked for"),
        pytest.param(
            ((P384,), (X25519, P256)), (X25519, P256), P256, P256, False, id="first is unknown to it"
        ),
        pytest.param(
            ((X448, P384), (X25519,)), (X25519, P384, X448), X25519, P384, True, id="its order within"
        ),
        pytest.param(
            ((NamedGroup.SECP521R1,), (X25519,)), (X25519,), X25519, X25519, False, id="none of ours"
        ),
    ],
)
def test_choice(
    tuples: tuple[tuple[NamedGroup, ...], ...],
    offered: tuple[NamedGroup, ...],
    share: NamedGroup,
    chosen: NamedGroup,
    retried: bool,
) -> None:
    server = ServerConfig(
        identities=(identity("p256"),), groups=(P256, P384, X25519, X448), group_tuples=tuples
    )
    ends = pair(ClientConfig(groups=offered, key_shares=(share,)), server).start().check()
    assert ends.server.negotiated.group == chosen
    assert ends.client.negotiated.hello_retried is retried
