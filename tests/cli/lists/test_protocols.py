"""Lists of application protocols, against the ClientHello that openssl makes of them."""

from __future__ import annotations

import pytest

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.protocols import parse_protocols
from support.hellos import ALPN, client_hello
from support.peers import needs


@needs("openssl")
@pytest.mark.parametrize(
    "text", ["h2,http/1.1", "h2,,x", ",h2", "h2,", " h2", "h2 ,x", "a" * 255, "a" * 256, ",", "", "é"]
)
def test_as_openssl(text: str) -> None:
    hello = client_hello("-alpn", text)
    try:
        names = parse_protocols(text)
    except ListError:
        assert hello is None
        return
    assert hello is not None
    assert hello[ALPN][2:] == b"".join(bytes([len(name)]) + name for name in names)


def test_the_whole_list_has_a_limit() -> None:
    with pytest.raises(ListError, match="too many protocols"):
        parse_protocols(",".join(["a" * 255] * 257))
