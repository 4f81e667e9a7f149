"""Lists of groups, against the ClientHello that openssl makes of them."""

from __future__ import annotations

import pytest

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.groups import GroupChoice, parse_groups
from handglass.registry.code_points import NamedGroup
from support.hellos import KEY_SHARE, SUPPORTED_GROUPS, client_hello, numbers
from support.peers import needs

G = NamedGroup
# What OpenSSL 3.0 knows.
KNOWN = tuple(
    group for group in NamedGroup if group.value <= 30 or group.value in {0x100, 0x101, 0x102, 0x103, 0x104}
)


@needs("openssl")
@pytest.mark.parametrize(
    "text",
    [
        "X25519",
        "x25519",
        "P-256",
        "prime256v1",
        "secp256r1",
        "secp384r1:P-521",
        "X25519: P-384",
        " X448 ",
        "ffdhe2048",
        "ffdhe8192:x25519",
        "brainpoolP256r1:x25519",
        "secp256k1:x25519",
        "BOGUS",
        "X25519:BOGUS",
        "x25519:X25519",
        "P-256:prime256v1",
        "secp256r1:",
        ":X25519",
        "X25519::P-256",
        "",
    ],
)
def test_as_openssl(text: str) -> None:
    hello = client_hello("-groups", text)
    try:
        choice = parse_groups(text, KNOWN)
    except ListError:
        assert hello is None
        return
    assert hello is not None
    assert numbers(hello[SUPPORTED_GROUPS]) == list(choice.groups)
    assert hello[KEY_SHARE][2:4] == choice.key_shares[0].to_bytes(2, "big")


def test_marked_key_shares() -> None:
    choice = parse_groups("X25519:*P-256:*ffdhe2048", NamedGroup)
    assert choice.groups == (G.X25519, G.SECP256R1, G.FFDHE2048)
    assert choice.key_shares == (G.SECP256R1, G.FFDHE2048)


def test_names_that_may_be_missing() -> None:
    choice = parse_groups("?BOGUS:?*X25519MLKEM768:*?X25519", [G.X25519])
    assert choice == GroupChoice((G.X25519,), (G.X25519,), ((G.X25519,),))


def test_tuples_removal_and_the_default() -> None:
    choice = parse_groups("*X25519MLKEM768:*X25519/P-256:P-384", NamedGroup)
    assert choice.tuples == ((G.X25519MLKEM768, G.X25519), (G.SECP256R1, G.SECP384R1))
    choice = parse_groups("P-521:DEFAULT:-X25519", NamedGroup, default=(G.X25519, G.SECP256R1, G.SECP521R1))
    assert choice.groups == (G.SECP521R1, G.SECP256R1)


def test_a_key_share_is_for_a_group_of_tls13() -> None:
    assert parse_groups("secp256k1:brainpoolP384r1:P-384", NamedGroup).key_shares == (G.SECP384R1,)
    assert parse_groups("secp256k1", NamedGroup).key_shares == ()


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("BOGUS", "group 'BOGUS' cannot be set, it is no group"),
        ("P-384", "group 'P-384' cannot be set, it is not available"),
        ("X25519:x25519", "group 'x25519' stands there twice"),
        ("?BOGUS", "no group is left"),
        ("X25519:-X25519", "no group is left"),
        ("X25519//P-256", "an empty element"),
        ("", "an empty list"),
        ("*", "group '' cannot be set, it is no group"),
    ],
)
def test_complaints(text: str, detail: str) -> None:
    with pytest.raises(ListError) as caught:
        parse_groups(text, [G.X25519, G.SECP256R1])
    assert caught.value.detail == detail
    assert caught.value.complaint("groups", text).splitlines() == [
        f"Call to SSL_CONF_cmd(-groups, {text}) failed",
        f'Error with command: "-groups {text}"',
        f"passed invalid argument: {detail}",
    ]
